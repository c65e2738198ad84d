import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Places, startServers } from "@lamina/servers";
import { addressesSchema, type TestServers } from "./addresses.ts";
import { readTestConfig } from "./config.ts";

/** What the directories of test servers are named by, so that those of killed runs are found. */
export const SERVERS_PREFIX = "lamina-test-servers-";

export type OwnServers = TestServers & AsyncDisposable;

export interface OwnServersOptions {
  /** What they are to lie in; it goes with them. A new one by default. */
  readonly directory?: string;
  readonly places?: Places;
  /** Puts something into the directory before they start. */
  readonly prepare?: (directory: string) => Promise<void>;
  /** Told when a server died and when it is back. */
  readonly report?: (line: string) => void;
}

/** An empty directory for servers. */
export function serversDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), SERVERS_PREFIX));
}

/** However often a test kills something, it is soon started again. */
export const LONGEST_PAUSE_MS = 400;

/** A set of servers of a test's own, to be killed and stopped as it likes. Disposing ends and removes them. */
export async function ownServers({ prepare, report, places = {}, ...options }: OwnServersOptions = {}): Promise<OwnServers> {
  const directory = options.directory ?? (await serversDirectory());
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    await prepare?.(directory);
    const servers = await startServers({
      directory,
      cache: readTestConfig().cache,
      places,
      longestPauseMs: LONGEST_PAUSE_MS,
      ...(report !== undefined && { report }),
    });
    return {
      ...addressesSchema.parse(servers),
      async [Symbol.asyncDispose]() {
        await servers.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
