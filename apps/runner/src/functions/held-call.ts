/** Calls that were taken off the queue and have not ended. */
import type { CallMessage, Value } from "@lamina/api";
import type { JsMsg } from "@nats-io/jetstream";

export interface HeldCall {
  readonly id: string;
  readonly method: string | undefined;
  readonly input: Value;
  readonly message: HeldMessage;
  /** Why it does not end by itself. */
  verdict: "timed out" | "cancelled" | "put back" | undefined;
  /** When it began in its container; before, it may go to another one. */
  startedAt: number | undefined;
  tookMs: number | undefined;
}

/** The last part of its subject. */
export function messageId({ subject }: Pick<JsMsg, "subject">): string {
  return subject.slice(subject.lastIndexOf(".") + 1);
}

/** A message and what has become of its calls: it goes when all have been told of. */
export class HeldMessage {
  readonly id: string;
  readonly calls: readonly HeldCall[];
  #latest: JsMsg;
  #left: number;
  #comesAgainAfterMs: number | undefined;

  constructor(message: JsMsg, { method, calls }: CallMessage) {
    this.#latest = message;
    this.id = messageId(message);
    this.calls = calls.map(({ id, input }) => ({
      id,
      method,
      input,
      message: this,
      verdict: undefined,
      startedAt: undefined,
      tookMs: undefined,
    }));
    this.#left = calls.length;
  }

  get deliveries(): number {
    return this.#latest.info.deliveryCount;
  }

  /** It was delivered again though it is held. */
  deliveredAgain(message: JsMsg): void {
    this.#latest = message;
  }

  /** Keeps it from being delivered again. */
  working(): void {
    this.#latest.working();
  }

  /** A call is done with, or is to come again. @returns whether it was the last */
  settle(comesAgainAfterMs?: number): boolean {
    if (comesAgainAfterMs !== undefined) this.#comesAgainAfterMs = Math.max(this.#comesAgainAfterMs ?? 0, comesAgainAfterMs);
    this.#left -= 1;
    if (this.#left > 0) return false;
    if (this.#comesAgainAfterMs === undefined) this.#latest.ack();
    else this.#latest.nak(this.#comesAgainAfterMs);
    return true;
  }
}
