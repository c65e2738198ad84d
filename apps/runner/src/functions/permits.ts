/**
 * Messages of a function's queue that are kept when their calls are done with: each lets one call of the function go on here that comes over
 * the line (packages/api/src/line.ts).
 *
 * I1: a permit is kept only where nothing waits in the queue, as far as is known; one is given up for each message that is put there, and all
 *     after a while, since word of that may be lost.
 * I2: a permit is free or has one call, and is offered while it is free.
 */
import type { Value } from "@lamina/api";
import type { JsMsg } from "@nats-io/jetstream";
import { type Carrier, type HeldCall, heldCall, HeldMessage } from "./held-call.ts";
import type { Connection, Line } from "./line.ts";
import type { Outcome, Outcomes } from "./outcomes.ts";

export interface PermitsOptions {
  readonly functionId: string;
  readonly line: Line;
  readonly outcomes: Outcomes;
  /** Whether permits are wanted now. */
  readonly isWanted: () => boolean;
  /** Takes a message off the queue, or lets it come again. */
  readonly giveUp: (message: HeldMessage, comesAgainAfterMs?: number) => void;
}

export interface DirectCall {
  readonly id: string;
  readonly method: string | undefined;
  readonly input: Value;
}

/** So long a permit is kept. */
const KEPT_MS = 10_000;

interface Permit {
  readonly message: HeldMessage;
  readonly expiry: NodeJS.Timeout;
  /** The call that goes on under it. */
  call: DirectCarrier | undefined;
  /** It is given up when its call has ended. */
  isLast: boolean;
}

export class Permits {
  readonly #options: PermitsOptions;
  readonly #permits = new Map<string, Permit>();

  constructor(options: PermitsOptions) {
    this.#options = options;
  }

  /** Keeps a message whose calls are done with. @returns false where it is not to be kept */
  keep(message: HeldMessage): boolean {
    const { line, isWanted } = this.#options;
    if (!message.wasLast || !line.isOpen || !isWanted()) return false;
    const expiry = setTimeout(() => this.#expire(permit), KEPT_MS);
    expiry.unref();
    const permit: Permit = { message, expiry, call: undefined, isLast: false };
    this.#permits.set(message.id, permit);
    this.#offer(permit);
    return true;
  }

  /** Whether the message is that of a permit, and was delivered again. */
  isKept(id: string, message: JsMsg): boolean {
    const permit = this.#permits.get(id);
    permit?.message.deliveredAgain(message);
    return permit !== undefined;
  }

  /** Begins to use a permit. @returns undefined where it is not free */
  begin(id: string, call: DirectCall, connection: Connection): HeldCall | undefined {
    const permit = this.#permits.get(id);
    if (permit === undefined || permit.call !== undefined) return undefined;
    permit.call = new DirectCarrier(id, {
      call: call.id,
      connection,
      finish: this.#options.outcomes.finish,
      isLast: () => permit.isLast,
      settled: (carrier, comesAgainAfterMs) => this.#settled(permit, carrier, comesAgainAfterMs),
    });
    return heldCall(permit.call, call);
  }

  /** The line is there again, and what was offered over the old one is not known at its other end. */
  offerAll(): void {
    for (const permit of this.#permits.values()) if (permit.call === undefined) this.#offer(permit);
  }

  /** A call waits in the queue. */
  giveUpOne(): void {
    const permits = [...this.#permits.values()].filter(({ isLast }) => !isLast);
    const free = permits.find(({ call }) => call === undefined);
    if (free !== undefined) return this.#expire(free);
    const [used] = permits;
    if (used !== undefined) used.isLast = true;
  }

  giveUpAll(): void {
    for (const permit of this.#permits.values()) this.#expire(permit);
  }

  #offer({ message }: Permit): void {
    this.#options.line.send({ type: "offer", permit: message.id, function: this.#options.functionId });
  }

  #expire(permit: Permit): void {
    permit.isLast = true;
    if (permit.call !== undefined) return;
    this.#options.line.send({ type: "withdraw", permit: permit.message.id });
    this.#end(permit, undefined);
  }

  #settled(permit: Permit, { isOffered }: DirectCarrier, comesAgainAfterMs: number | undefined): void {
    permit.call = undefined;
    if (comesAgainAfterMs !== undefined || permit.isLast || !this.#options.isWanted()) {
      if (isOffered) this.#options.line.send({ type: "withdraw", permit: permit.message.id });
      return this.#end(permit, comesAgainAfterMs);
    }
    if (!isOffered) this.#offer(permit);
  }

  #end(permit: Permit, comesAgainAfterMs: number | undefined): void {
    clearTimeout(permit.expiry);
    this.#permits.delete(permit.message.id);
    this.#options.giveUp(permit.message, comesAgainAfterMs);
  }
}

interface DirectOptions {
  readonly call: string;
  /** That brought it. */
  readonly connection: Connection;
  readonly finish: Carrier["finish"];
  /** Whether its permit is given up after it. */
  readonly isLast: () => boolean;
  readonly settled: (carrier: DirectCarrier, comesAgainAfterMs: number | undefined) => void;
}

/** Of a call that came over the line. */
export class DirectCarrier implements Carrier {
  readonly id: string;
  /** Whether the other end takes its permit for free, once it has ended. */
  isOffered = false;
  /** It is recorded, and its end is told as those of calls from the queue are. */
  isKept = false;
  readonly #options: DirectOptions;
  #isTold = false;
  /** The message that brought it once more, when the line was lost. */
  #message: JsMsg | undefined;

  constructor(id: string, options: DirectOptions) {
    this.id = id;
    this.#options = options;
  }

  get deliveries(): number {
    return this.#message?.info.deliveryCount ?? 1;
  }

  deliveredAgain(message: JsMsg): void {
    this.#message = message;
  }

  async finish(outcome: Outcome): Promise<number | undefined> {
    const { connection, finish, isLast } = this.#options;
    const last = isLast();
    if (!this.isKept && connection.send({ type: "ended", permit: this.id, outcome, last })) {
      this.#isTold = true;
      this.isOffered = !last;
      return undefined;
    }
    return finish(outcome);
  }

  settle(comesAgainAfterMs: number | undefined): void {
    const { call, connection, settled } = this.#options;
    if (!this.#isTold) connection.send({ type: "back", permit: this.id, call });
    if (comesAgainAfterMs === undefined) this.#message?.ack();
    else this.#message?.nak(comesAgainAfterMs);
    settled(this, comesAgainAfterMs);
  }
}
