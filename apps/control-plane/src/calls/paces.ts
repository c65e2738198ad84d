/**
 * How long calls took lately, by which short ones go together in one message: a message costs more than a call that takes less than a
 * millisecond. Known to this process alone; of a function that it knows nothing of, few go together, of many: runners send apart what waits
 * behind a call that turns out to be long.
 */
import type { StartCallsInput } from "@lamina/api";
import { recent } from "./recent.ts";

export interface Paces {
  /** How many calls make one message, of those that are started at once; of which function version is said where that is known. */
  together(functionId: string | undefined, started: Started): number;
  /** How many milliseconds a call of it takes, as far as is known. */
  of(functionId: string, method: string | undefined): number | undefined;
  /** Calls of a function version have ended, after so long each. */
  took(functionId: string, method: string | undefined, milliseconds: readonly number[]): void;
}

type Started = Pick<StartCallsInput, "method" | "calls">;

/** What a container does with one message should not take longer than this: others wait behind it, though another container may be idle. */
const MESSAGE_MS = 10;
/** Of many calls that are started at once, a container is busy with each part for so long anyway. */
const PART_MS = 50;
/** Into so many parts at least, so that several containers have work up to the end. */
const PARTS = 8;
const MOST_TOGETHER = 100;
/** Of calls that may be long. */
const UNKNOWN = { parts: 32, mostTogether: 25 };
/** The weight of what was before against what is new. */
const MEMORY = 0.8;

export function createPaces(): Paces {
  const paces = recent<number>();
  const paceOf = (functionId: string, method = "") => `${functionId} ${method}`;
  return {
    together(functionId, started) {
      const pace = functionId === undefined ? undefined : paces.get(paceOf(functionId, started.method));
      if (pace === undefined) return Math.max(1, Math.min(UNKNOWN.mostTogether, Math.floor(started.calls.length / UNKNOWN.parts)));
      const within = (milliseconds: number) => Math.floor(milliseconds / pace);
      const part = Math.min(within(PART_MS), Math.ceil(started.calls.length / PARTS));
      return Math.max(1, Math.min(MOST_TOGETHER, Math.max(within(MESSAGE_MS), part)));
    },
    of: (functionId, method) => paces.get(paceOf(functionId, method)),
    took(functionId, method, milliseconds) {
      const now = milliseconds.reduce((sum, one) => sum + one, 0) / milliseconds.length;
      const key = paceOf(functionId, method);
      const before = paces.get(key) ?? now;
      paces.set(key, Math.max(now, MEMORY * before + (1 - MEMORY) * now));
    },
  };
}
