/** Batches of events as they lie in the stream, whatever feed they belong to. */
import { AttemptEnd, AttemptProgress, RunEnd, RunProgress } from "@lamina/api";
import { z } from "zod";

export const AttemptEvent = z.union([AttemptProgress, AttemptEnd]);
export type AttemptEvent = z.infer<typeof AttemptEvent>;

/** What a newer worker wrote. It keeps its number, so that there is no gap, and is shown to nobody. */
const UnknownEvent = z.object({ type: z.literal("unknown") });

export const FeedEvent = z.union([AttemptProgress, AttemptEnd, RunProgress, RunEnd, UnknownEvent]);
export type FeedEvent = z.infer<typeof FeedEvent>;
export type FeedEnd = z.infer<typeof AttemptEnd> | z.infer<typeof RunEnd>;

export const FeedBatch = z.object({ first: z.int().min(1), events: z.array(FeedEvent.catch({ type: "unknown" })).min(1) });
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
