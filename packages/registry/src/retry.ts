/** Trying again what a busy or absent registry did not do. */
import { setTimeout as sleep } from "node:timers/promises";
import { isRegistryError } from "./errors.ts";

const attempts = 4;
const firstDelayMs = 250;
/** A registry that asks for a longer pause gets no retry: its caller decides. */
const longestPauseMs = 30_000;

/** Runs an idempotent operation again, after a pause, when it failed because the registry could not be reached or was busy. */
export async function withRetries<T>(operation: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      const delayMs = retryDelayMs(error, attempt, Math.random());
      if (delayMs === undefined) throw error;
      await pause(delayMs, signal);
    }
  }
}

/**
 * How long to wait after the given failed attempt (counted from 1), or undefined to give up.
 * The pause doubles each time; chance, from 0 to 1, takes off up to half of it, so that clients do not come back together.
 */
export function retryDelayMs(error: unknown, attempt: number, chance: number): number | undefined {
  if (attempt >= attempts || !isRegistryError(error, "UNREACHABLE", "UNAVAILABLE")) return undefined;
  const backoffMs = firstDelayMs * 2 ** (attempt - 1) * (1 - chance / 2);
  const delayMs = Math.max(backoffMs, error.retryAfterMs ?? 0);
  return delayMs <= longestPauseMs ? delayMs : undefined;
}

/** Reads a Retry-After header: seconds, or a date. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
