/** What builders said, by attempt. */
import { AttemptEventBatch } from "@lamina/api";
import { archivedEvents } from "@lamina/testkit";
import type { z } from "zod";
import type { Outcome, Platform } from "./platform.ts";

export type AttemptEvent = z.infer<typeof AttemptEventBatch>["events"][number];

/** All events of an attempt, waiting for its end. Throws when their numbers have a gap or a repetition. */
export async function eventsOfAttempt({ databaseUrl }: Platform, attempt: string): Promise<AttemptEvent[]> {
  return AttemptEventBatch.shape.events.parse(await archivedEvents(databaseUrl, attempt));
}

/** The attempts that a build waited for, in order. */
export function attemptsOf({ events }: Outcome): string[] {
  return events.flatMap((event) => (event.type === "attempt" ? [event.attempt] : []));
}

/** The layers that an attempt published. */
export function publishedIn(events: readonly AttemptEvent[]) {
  return events.flatMap((event) => (event.type === "layer-published" ? [event] : []));
}
