import { randomInt } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

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

export interface FaultConfig {
  /** What random faults are drawn from. */
  readonly seed: number;
  /** How many random moments of a build each fault is tried at. */
  readonly moments: number;
  /** How many calls faults are to strike. */
  readonly calls: number;
}

const FaultEnvironment = z.object({
  LAMINA_TEST_SEED: z.coerce
    .number()
    .int()
    .default(() => randomInt(2 ** 31)),
  LAMINA_TEST_MOMENTS: z.coerce.number().int().min(1).default(2),
  LAMINA_TEST_CALLS: z.coerce.number().int().min(1).default(2_000),
});

/**
 * LAMINA_TEST_SEED draws the faults of an earlier run again; LAMINA_TEST_MOMENTS tries each fault at more moments than two, and
 * LAMINA_TEST_CALLS strikes more calls than 2,000.
 */
export function readFaultConfig(): FaultConfig {
  const { LAMINA_TEST_SEED: seed, LAMINA_TEST_MOMENTS: moments, LAMINA_TEST_CALLS: calls } = FaultEnvironment.parse(process.env);
  return { seed, moments, calls };
}
