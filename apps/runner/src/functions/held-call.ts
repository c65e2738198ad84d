/** Calls that a container is to do, or does, and what brought them. */
import type { CallMessage, Value } from "@lamina/api";
import type { JsMsg } from "@nats-io/jetstream";
import type { Outcome } from "./outcomes.ts";

export interface HeldCall {
  readonly id: string;
  readonly method: string | undefined;
  readonly input: Value;
  readonly carrier: Carrier;
  /** Why it does not end by itself. */
  verdict: "timed out" | "cancelled" | "put back" | undefined;
  /** When it began in its container; before, it may go to another one. */
  startedAt: number | undefined;
  tookMs: number | undefined;
}

/** What brought a call, and is to know what becomes of it. */
export interface Carrier {
  /** Of its message on the queue. */
  readonly id: string;
  /** How often it was delivered. */
  readonly deliveries: number;
  /** A message came off the queue that brings the same call. */
  deliveredAgain(message: JsMsg): void;
  /** Resolves when the end is told: to the milliseconds after which the call is to be tried again, or to undefined when it is done with. */
  readonly finish: (outcome: Outcome) => Promise<number | undefined>;
  /** A call is done with, or is to come again. */
  settle(call: HeldCall, comesAgainAfterMs: number | undefined): void;
}

export function heldCall(carrier: Carrier, { id, method, input }: Pick<HeldCall, "id" | "method" | "input">): HeldCall {
  return { id, method, input, carrier, verdict: undefined, startedAt: undefined, tookMs: undefined };
}

/** The last part of its subject. */
export function messageId({ subject }: Pick<JsMsg, "subject">): string {
  return subject.slice(subject.lastIndexOf(".") + 1);
}

/** Where the calls of messages end. */
export interface Settling {
  readonly finish: (outcome: Outcome) => Promise<number | undefined>;
  /** All calls of the message are done with, or to come again after so long: what becomes of it is decided there. */
  readonly settled: (message: HeldMessage, comesAgainAfterMs: number | undefined) => void;
}

/** A message and what has become of its calls: it is settled when all have been told of. */
export class HeldMessage implements Carrier {
  readonly id: string;
  readonly calls: readonly HeldCall[];
  readonly finish: Carrier["finish"];
  readonly takenAt = Date.now();
  readonly #settled: Settling["settled"];
  #latest: JsMsg;
  #left: number;
  #comesAgainAfterMs: number | undefined;

  constructor(message: JsMsg, { method, calls }: CallMessage, { finish, settled }: Settling) {
    this.#latest = message;
    this.id = messageId(message);
    this.finish = finish;
    this.#settled = settled;
    this.calls = calls.map(({ id, input }) => heldCall(this, { id, method, input }));
    this.#left = calls.length;
  }

  get deliveries(): number {
    return this.#latest.info.deliveryCount;
  }

  /** Whether nothing waited behind it when it was delivered. */
  get wasLast(): boolean {
    return this.#latest.info.pending === 0;
  }

  /** Whether it was taken off the queue there, with a call that was cancelled. */
  get isOffQueue(): boolean {
    return this.calls.some(({ verdict }) => verdict === "cancelled");
  }

  deliveredAgain(message: JsMsg): void {
    this.#latest = message;
  }

  /** Keeps it from being delivered again. */
  working(): void {
    this.#latest.working();
  }

  settle(_: HeldCall, comesAgainAfterMs: number | undefined): void {
    if (comesAgainAfterMs !== undefined) this.#comesAgainAfterMs = Math.max(this.#comesAgainAfterMs ?? 0, comesAgainAfterMs);
    this.#left -= 1;
    if (this.#left === 0) this.#settled(this, this.#comesAgainAfterMs);
  }

  /** Takes it off the queue, or lets it come again. */
  giveUp(comesAgainAfterMs?: number): void {
    if (comesAgainAfterMs === undefined) this.#latest.ack();
    else this.#latest.nak(comesAgainAfterMs);
  }
}
