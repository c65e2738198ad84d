/** Batches of events as they lie in the stream, whatever feed they belong to. */
import { AttemptEnd, AttemptProgress, RunEnd, RunProgress } from "@lamina/api";
import { z } from "zod";

export const AttemptEvent = z.union([AttemptProgress, AttemptEnd]);
export type AttemptEvent = z.infer<typeof AttemptEvent>;

export const FeedEvent = z.union([AttemptProgress, AttemptEnd, RunProgress, RunEnd]);
export type FeedEvent = z.infer<typeof FeedEvent>;
export type FeedEnd = z.infer<typeof AttemptEnd> | z.infer<typeof RunEnd>;

/** What a newer worker may write. It keeps its number, so that there is no gap. */
const unknownEvent: FeedEvent = { type: "preparing", at: 0, what: "an event that this release does not know" };

export const FeedBatch = z.object({ first: z.int().min(1), events: z.array(FeedEvent.catch(unknownEvent)).min(1) });
export type FeedBatch = z.infer<typeof FeedBatch>;

export interface NumberedEvent {
  readonly number: number;
  readonly event: FeedEvent;
}

/** Whether nothing comes after the event. */
export function isEnd(event: FeedEvent): event is FeedEnd {
  switch (event.type) {
    case "attempt-done":
    case "attempt-failed":
    case "attempt-cut-off":
    case "run-exited":
    case "run-failed":
      return true;
    default:
      return false;
  }
}

export function parseBatch(data: string): FeedBatch {
  return FeedBatch.parse(JSON.parse(data));
}

export function lastNumberOf({ first, events }: FeedBatch): number {
  return first + events.length - 1;
}
