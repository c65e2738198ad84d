import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import getPort from "get-port";
import { z } from "zod";
import { HERE } from "./place.ts";

const portSchema = z.int().min(1).max(65_535);

const settingsSchema = z.object({
  ports: z.object({ postgres: portSchema, nats: portSchema, registry: portSchema }),
  passwords: z.object({ postgres: z.string(), nats: z.string(), registry: z.string() }),
});

/** What is chosen once for a directory and kept, so that a restart has the same addresses and credentials. */
export type Settings = z.infer<typeof settingsSchema>;

/** The user name on every server. */
export const USER = "lamina";

/** Reads the settings of the directory, or makes them. A port that somebody else has taken meanwhile is replaced. */
export async function loadSettings(directory: string): Promise<Settings> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, "settings.json");
  const saved = await readSettings(path);
  const settings = {
    ports: await freePorts(saved?.ports),
    passwords: saved?.passwords ?? { postgres: newPassword(), nats: newPassword(), registry: newPassword() },
  };
  await writeFile(`${path}.tmp`, JSON.stringify(settings, undefined, 2), { mode: 0o600 });
  await rename(`${path}.tmp`, path);
  return settings;
}

async function readSettings(path: string): Promise<Settings | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? undefined : settingsSchema.parse(JSON.parse(text));
}

async function freePorts(preferred: Settings["ports"] | undefined): Promise<Settings["ports"]> {
  return {
    postgres: await freePort(preferred?.postgres),
    nats: await freePort(preferred?.nats),
    registry: await freePort(preferred?.registry),
  };
}

async function freePort(preferred: number | undefined): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  return getPort({ host: HERE.address });
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, HERE.address, () => server.close(() => resolve(true)));
  });
}

function newPassword(): string {
  return randomBytes(24).toString("base64url");
}
