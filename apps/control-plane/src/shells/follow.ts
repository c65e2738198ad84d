/**
 * The events of a shell, from its runner to one who follows it.
 *
 * I1: what is given on is numbered without gaps. What was lost on the way is sent again, since each message to the runner says what has come.
 * I2: the runner hears every two seconds that somebody follows; when it is gone, that is told in place of an end.
 */
import { NumberedShellEvent, type ShellEvent, type Tracked } from "@lamina/api";
import type { NatsConnection } from "@nats-io/transport-node";
import { setTimeout as delay } from "node:timers/promises";
import { createChannel } from "../events/channel.ts";
import type { ShellRunner } from "./runner.ts";

export interface FollowShellOptions {
  readonly connection: NatsConnection;
  readonly runner: ShellRunner;
  /** On which its events come. */
  readonly subject: string;
  /** The number of the last event that was seen. */
  readonly after: number;
  readonly signal: AbortSignal;
}

const TELL_MS = 2_000;

/** @throws {LaminaError} SHELL_LOST */
export async function* followShell(options: FollowShellOptions): AsyncGenerator<Tracked<ShellEvent>> {
  const { connection, runner, subject, after, signal } = options;
  const events = createChannel<NumberedShellEvent>();
  const over = new AbortController();
  let received = after;
  let isLost = false;
  const subscription = connection.subscribe(subject, {
    callback(error, message) {
      if (error !== null) return;
      const numbered = NumberedShellEvent.parse(message.json());
      if (numbered.number !== received + 1) return;
      received = numbered.number;
      void events.put(numbered);
    },
  });
  const tell = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await runner.ask({ type: "follow", after: received });
      await delay(TELL_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  };
  const telling = tell();
  telling.catch(() => {
    isLost = true;
    events.wake();
  });
  const wake = (): void => events.wake();
  signal.addEventListener("abort", wake, { once: true });
  try {
    while (!signal.aborted) {
      const numbered = await events.take(TELL_MS);
      if (numbered === undefined) {
        // Rejects with the reason.
        if (isLost) await telling;
        continue;
      }
      yield { cursor: String(numbered.number), event: numbered.event };
      if (isEnd(numbered.event)) return;
    }
  } finally {
    over.abort();
    signal.removeEventListener("abort", wake);
    subscription.unsubscribe();
    events.close();
  }
}

function isEnd({ type }: ShellEvent): boolean {
  return type === "shell-exited" || type === "shell-failed";
}
