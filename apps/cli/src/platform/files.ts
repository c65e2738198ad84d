/** The files by which the embedded platform is found again. All lie in its home, which only its user reads. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { LaminaError } from "lamina";
import { isAlive } from "@lamina/servers/process-identity";
import { z } from "zod";

const Part = z.object({
  name: z.string(),
  state: z.enum(["starting", "ready"]),
  /** How long it took to be ready, in milliseconds. */
  tookMs: z.number().optional(),
});
export type Part = z.infer<typeof Part>;

const SupervisorRecord = z.object({
  pid: z.int(),
  /** Tells the process apart from a later one with its number. */
  startedAt: z.string(),
  /** ISO 8601. */
  since: z.string(),
  state: z.enum(["starting", "ready", "stopping", "failed"]),
  parts: z.array(Part),
  /** Why it failed. */
  problem: z.string().optional(),
});
/** What the supervisor says of itself. */
export type SupervisorRecord = z.infer<typeof SupervisorRecord>;

const PlatformRecord = z.object({
  url: z.string(),
  token: z.string(),
  pid: z.int(),
  startedAt: z.string(),
  since: z.string(),
  /** The release of our apps, where they do not run from source. */
  release: z.string().optional(),
  /** While this is the same the release is too. */
  stamp: z.string().optional(),
  /** Of each part, without credentials. */
  addresses: z.record(z.string(), z.string()),
  /** Of the servers that it uses instead of own ones, as the environment named them when it was started. */
  external: z.record(z.string(), z.string()).default({}),
  /** The directory of the servers' own clients, such as buildctl. */
  binaries: z.string(),
});
/** How to reach the platform; there while all of it is ready. */
export type PlatformRecord = z.infer<typeof PlatformRecord>;

const Identity = z.object({
  port: z.int(),
  secretKey: z.string(),
  clientToken: z.string(),
  workerToken: z.string(),
});
/** What was chosen for the control plane once and is kept. */
export type Identity = z.infer<typeof Identity>;

/** Makes the home if it is not there, and keeps others out of it. @throws INVALID_INPUT when that cannot be */
export async function makeHome(home: string): Promise<void> {
  try {
    for (const folder of ["logs", "builder", "runner"]) await makeFolder(path.join(home, folder));
    await chmod(home, 0o700);
  } catch (error) {
    throw homeUnusable(home, error);
  }
}

/** With those above it. Node's own way to do so never ends below a folder that takes none, as those of /proc. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") return;
    const parent = path.dirname(folder);
    if (code !== "ENOENT" || existsSync(parent)) throw error;
    await makeFolder(parent);
    await mkdir(folder, { mode: 0o700 });
  }
}

function homeUnusable(home: string, cause: unknown): LaminaError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `The directory of the platform, ${home}, cannot be used: ${reason}. LAMINA_HOME names another.`;
  return new LaminaError({ code: "INVALID_INPUT", message }, { cause });
}

/** The record of the supervisor that runs now, or else of the last one, or undefined. */
export async function readSupervisor(home: string): Promise<(SupervisorRecord & { readonly alive: boolean }) | undefined> {
  const record = await readJson(supervisorFile(home), SupervisorRecord);
  return record && { ...record, alive: await isAlive(record) };
}

export async function writeSupervisor(home: string, record: SupervisorRecord): Promise<void> {
  await writeJson(supervisorFile(home), record);
}

/** The platform that is up, or undefined. */
export async function readPlatform(home: string): Promise<PlatformRecord | undefined> {
  const record = await readJson(platformFile(home), PlatformRecord);
  return record !== undefined && (await isAlive(record)) ? record : undefined;
}

export async function writePlatform(home: string, record: PlatformRecord): Promise<void> {
  await writeJson(platformFile(home), record);
}

/** Forgets a supervisor and its platform. */
export async function removeRecords(home: string): Promise<void> {
  await rm(platformFile(home), { force: true });
  await rm(supervisorFile(home), { force: true });
}

export async function removePlatform(home: string): Promise<void> {
  await rm(platformFile(home), { force: true });
}

/** The identity that is kept in the home, made when there is none. `choosePort` is given the port of before. */
export async function loadIdentity(home: string, choosePort: (before: number | undefined) => Promise<number>): Promise<Identity> {
  const file = path.join(home, "control-plane.json");
  const kept = await readJson(file, Identity);
  const identity = { ...(kept ?? newIdentity()), port: await choosePort(kept?.port) };
  await writeJson(file, identity);
  return identity;
}

export function lockFile(home: string): string {
  return path.join(home, "supervisor.lock");
}

export function logFile(home: string, name: string): string {
  return path.join(home, "logs", `${name}.log`);
}

function newIdentity(): Omit<Identity, "port"> {
  const token = () => randomBytes(32).toString("base64url");
  return { secretKey: randomBytes(32).toString("base64"), clientToken: token(), workerToken: token() };
}

function supervisorFile(home: string): string {
  return path.join(home, "supervisor.json");
}

function platformFile(home: string): string {
  return path.join(home, "platform.json");
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const content = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw homeUnusable(path.dirname(file), error);
  });
  return content === undefined ? undefined : schema.parse(JSON.parse(content));
}

async function writeJson(file: string, value: unknown): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  await writeFile(temporary, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
  await rename(temporary, file);
}
