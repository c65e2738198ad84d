import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import type { ProcessIdentity } from "./process-identity.ts";

const recordSchema = z.object({
  pid: z.int().positive(),
  startedAt: z.string(),
  /** How the process is ended by somebody who does not know it. */
  stop: z.object({ signal: z.enum(["SIGTERM", "SIGINT"]), graceSeconds: z.number(), isolated: z.boolean() }),
});

/** A server process as it is remembered on disk. */
export type ServerRecord = z.infer<typeof recordSchema>;

const identitySchema = recordSchema.pick({ pid: true, startedAt: true });

/** Remembers the process of that name in the directory. */
export async function writeServerRecord(directory: string, name: string, record: ServerRecord): Promise<void> {
  await writeJson(serverFile(directory, name), record);
}

export async function removeServerRecord(directory: string, name: string): Promise<void> {
  await rm(serverFile(directory, name), { force: true });
}

/** The file by which the process of that name is remembered. */
export function serverFile(directory: string, name: string): string {
  return join(serversFolder(directory), `${name}.json`);
}

/** The processes that the directory remembers, by name. */
export async function readServerRecords(directory: string): Promise<ReadonlyMap<string, ServerRecord>> {
  const files = (await readdir(serversFolder(directory)).catch(absent)) ?? [];
  const records = await Promise.all(
    files
      .filter((file) => file.endsWith(".json"))
      .map(async (file) => [basename(file, ".json"), recordSchema.parse(await readJson(join(serversFolder(directory), file)))] as const),
  );
  return new Map(records);
}

/** The process that supervises the directory, or undefined when there is none on record. */
export async function readOwner(directory: string): Promise<ProcessIdentity | undefined> {
  const owner = await readJson(ownerFile(directory));
  return owner === undefined ? undefined : identitySchema.parse(owner);
}

export async function writeOwner(directory: string, owner: ProcessIdentity): Promise<void> {
  await writeJson(ownerFile(directory), owner);
}

export async function removeOwner(directory: string): Promise<void> {
  await rm(ownerFile(directory), { force: true });
}

function serversFolder(directory: string): string {
  return join(directory, "run", "servers");
}

function ownerFile(directory: string): string {
  return join(directory, "run", "owner.json");
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.tmp`, JSON.stringify(value), { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch(absent);
  return text === undefined ? undefined : JSON.parse(text);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
