import { homedir } from "node:os";
import { join } from "node:path";

export interface TestConfig {
  readonly cache: string;
  /** A JSON file with the addresses of servers that run already. */
  readonly runningServers: string | undefined;
}

/** What the environment says to the tests: LAMINA_CACHE, and LAMINA_TEST_SERVERS to use running servers. */
export function readTestConfig(): TestConfig {
  const caches = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return { cache: process.env["LAMINA_CACHE"] ?? join(caches, "lamina"), runningServers: process.env["LAMINA_TEST_SERVERS"] };
}
