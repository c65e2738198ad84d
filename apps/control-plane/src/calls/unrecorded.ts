/** Calls that go on, or have ended, and are known to this process alone (direct.ts). */
import type { ToldEnds } from "./told.ts";

export interface UnrecordedCalls {
  /** Resolves when those of these calls that go on are recorded, which is at once, and all that had ended. */
  recorded(ids: readonly string[]): Promise<void>;
  add(id: string, record: () => Promise<void>): void;
  delete(id: string): void;
}

export function createUnrecordedCalls(toldEnds: ToldEnds): UnrecordedCalls {
  const running = new Map<string, () => Promise<void>>();
  return {
    async recorded(ids) {
      const asked = ids.map((id) => running.get(id)).filter((record) => record !== undefined);
      await Promise.all(asked.map((record) => record()));
      await toldEnds.recorded();
    },
    add: (id, record) => void running.set(id, record),
    delete: (id) => void running.delete(id),
  };
}
