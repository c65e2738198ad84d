/** What is written to a shell: each piece once, in order, and no more at a time than is taken. */
import type { ShellMessage } from "@lamina/api";
import { setTimeout as delay } from "node:timers/promises";
import type { AttendedContainer } from "../engine/function-containers.ts";

export interface ShellInput {
  /** From now on there is somebody to take it. */
  openTo(container: Pick<AttendedContainer, "write" | "end">): void;
  /** Resolves to whether it was taken, or had been; else there is no room yet. */
  write(piece: Extract<ShellMessage, { type: "write" }>): Promise<boolean>;
}

/** So long a piece is kept waiting for room before its sender is told that there is none. */
const ROOM_MS = 1_000;

export function shellInput(): ShellInput {
  const { promise: opened, resolve: open } = Promise.withResolvers<Pick<AttendedContainer, "write" | "end">>();
  let next = 1;
  /** Resolves when the piece before is taken. */
  let room: Promise<unknown> = opened;

  return {
    openTo: open,
    async write({ number, data, isEnd }) {
      const before = room;
      const rest = new AbortController();
      const hasRoom = await Promise.race([before.then(() => true), delay(ROOM_MS, false, { signal: rest.signal }).catch(() => false)]);
      rest.abort();
      if (number < next) return true;
      // Another piece may have come meanwhile, which this one has to wait for.
      if (!hasRoom || before !== room || number > next) return false;
      next += 1;
      room = opened.then(async (container) => {
        await container.write(Buffer.from(data, "base64"));
        if (isEnd) container.end();
      });
      return true;
    },
  };
}
