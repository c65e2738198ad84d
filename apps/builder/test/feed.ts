/** What builders wrote to the stream, by attempt. */
import { AttemptEventBatch, catalogue } from "@lamina/api";
import { connectNats } from "@lamina/service";
import { jetstream } from "@nats-io/jetstream";
import type { z } from "zod";
import type { Outcome, Platform } from "./platform.ts";

export type AttemptEvent = z.infer<typeof AttemptEventBatch>["events"][number];

/** All events of an attempt, waiting for its end. Throws when their numbers have a gap or a repetition. */
export async function eventsOfAttempt({ servers, namespace }: Platform, attempt: string): Promise<AttemptEvent[]> {
  const connection = await connectNats({ ...servers.nats, name: "test" });
  try {
    const { stream, subject } = catalogue(namespace).events;
    const consumer = await jetstream(connection).consumers.get(stream, { filter_subjects: [subject(attempt)] });
    const events: AttemptEvent[] = [];
    for await (const message of await consumer.consume()) {
      const batch = AttemptEventBatch.parse(message.json());
      if (batch.first !== events.length + 1) throw new Error(`batch ${batch.first} follows event ${events.length}`);
      events.push(...batch.events);
      if (events.some(({ type }) => type === "attempt-done" || type === "attempt-failed" || type === "attempt-cut-off")) break;
    }
    return events;
  } finally {
    await connection.close();
  }
}

/** The attempts that a build waited for, in order. */
export function attemptsOf({ events }: Outcome): string[] {
  return events.flatMap((event) => (event.type === "attempt" ? [event.attempt] : []));
}

/** The layers that an attempt published. */
export function publishedIn(events: readonly AttemptEvent[]) {
  return events.flatMap((event) => (event.type === "layer-published" ? [event] : []));
}
