/** A call that was taken off the queue and has not ended. */
import type { Value } from "@lamina/api";
import type { JsMsg } from "@nats-io/jetstream";

export interface HeldCall {
  readonly id: string;
  readonly method: string | undefined;
  readonly input: Value;
  /** The latest delivery of its message. */
  message: JsMsg;
  /** Why it does not end by itself. */
  verdict: "timed out" | "cancelled" | "put back" | undefined;
  startedAt: number | undefined;
}
