/** Calls that go on, or have ended, and are known to this process alone (direct.ts). */
import type { ToldEnds } from "./told.ts";

export interface UnrecordedCalls {
  /** Resolves when these calls are recorded, or all where none is named: those that go on at once, and those that have ended. */
  recorded(ids?: readonly string[]): Promise<void>;
  /** Whether it goes on, and is known to this process alone. */
  has(id: string): boolean;
  add(ids: readonly string[], record: () => Promise<void>): void;
  delete(ids: readonly string[]): void;
}

export function createUnrecordedCalls(toldEnds: ToldEnds): UnrecordedCalls {
  const running = new Map<string, () => Promise<void>>();
  return {
    async recorded(ids) {
      // Those of one request are recorded together.
      const asked = new Set((ids ?? [...running.keys()]).map((id) => running.get(id)).filter((record) => record !== undefined));
      await Promise.all([...asked].map((record) => record()));
      if (ids === undefined || ids.some((id) => toldEnds.has(id))) await toldEnds.recorded();
    },
    has: (id) => running.has(id),
    add(ids, record) {
      for (const id of ids) running.set(id, record);
    },
    delete(ids) {
      for (const id of ids) running.delete(id);
    },
  };
}
