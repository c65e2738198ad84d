import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startServers, type EmbeddedServers, type StartOptions } from "../src/index.ts";
import { runCommand } from "../src/command.ts";

export const CACHE = process.env["LAMINA_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "lamina");

/** A directory that goes with its scope; what uses it is ended by the caller. */
export async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "lamina-servers-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Servers in that directory that are stopped with their scope, if not before. */
export async function startIn(directory: string, external?: StartOptions["external"]): Promise<EmbeddedServers & AsyncDisposable> {
  const servers = await startServers({ directory, cache: CACHE, ...(external !== undefined && { external }) });
  return { ...servers, [Symbol.asyncDispose]: () => servers.stop() };
}

/** Waits for what another process does. The test's own time limit ends it. */
export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(20);
  }
}

/** The command lines of all processes that name the directory. */
export async function processesNaming(directory: string): Promise<readonly string[]> {
  const lines = (await runCommand("ps", ["-eo", "args"])).split("\n");
  return lines.filter((line) => line.includes(directory));
}
