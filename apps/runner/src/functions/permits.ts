/**
 * Messages of a function's queue that are kept when their calls are done with: each lets calls of the function go on here, one after the
 * other, that come over the line (packages/api/src/line.ts).
 *
 * I1: a permit is kept only where nothing waits in the queue, as far as is known; one is given up for each message that is put there. Since word
 *     of that may be lost, it is looked whether something waits, and one that is not used is given up.
 * I2: a permit is free or has calls, and is offered while it is free.
 */
import type { CallMessage } from "@lamina/api";
import type { JsMsg } from "@nats-io/jetstream";
import { DirectCarrier, type DirectEnd } from "./direct-carrier.ts";
import type { HeldMessage } from "./held-call.ts";
import type { Connection, Line } from "./line.ts";
import type { Outcomes } from "./outcomes.ts";

export interface PermitsOptions {
  readonly functionId: string;
  readonly line: Line;
  readonly outcomes: Outcomes;
  /** Whether permits are wanted now. */
  readonly isWanted: () => boolean;
  /** How many messages wait in the queue. */
  readonly queued: () => Promise<number>;
  /** Takes a message off the queue, or lets it come again. */
  readonly giveUp: (message: HeldMessage, comesAgainAfterMs?: number) => void;
}

/** So long a message that was put on the queue is waited for; another runner may have got it. */
const NOTED_MS = 2_000;
/** How often it is looked whether a permit is used, and nothing waits for its place. */
const LOOK_MS = 5_000;

interface Permit {
  readonly message: HeldMessage;
  /** Since the last look. */
  wasUsed: boolean;
  /** Of what goes on under it. */
  carrier: DirectCarrier | undefined;
  /** It is given up when its calls are done with. */
  isLast: boolean;
}

export class Permits {
  readonly #options: PermitsOptions;
  readonly #permits = new Map<string, Permit>();
  /** The messages that were put on the queue and have not come. */
  readonly #noted = new Set<string>();
  #looking: NodeJS.Timeout | undefined;

  constructor(options: PermitsOptions) {
    this.#options = options;
  }

  /** Keeps a message whose calls are done with. @returns false where it is not to be kept */
  keep(message: HeldMessage): boolean {
    const { line, isWanted } = this.#options;
    if (!message.wasLast || message.isOffQueue || this.#noted.size > 0 || !line.isOpen || !isWanted()) return false;
    const permit: Permit = { message, wasUsed: true, carrier: undefined, isLast: false };
    this.#permits.set(message.id, permit);
    this.#looking ??= setInterval(() => this.#look(), LOOK_MS).unref();
    this.#offer(permit);
    // Word of a message that came meanwhile may be forgotten.
    if (Date.now() - message.takenAt >= NOTED_MS) void this.#giveWayToQueued();
    return true;
  }

  /** Whether the message is that of a permit, and was delivered again. */
  isKept(id: string, message: JsMsg): boolean {
    const permit = this.#permits.get(id);
    permit?.message.deliveredAgain(message);
    return permit !== undefined;
  }

  /** Begins to use a permit. @returns undefined where it is not free */
  begin(id: string, calls: CallMessage, connection: Connection): DirectCarrier | undefined {
    const permit = this.#permits.get(id);
    if (permit === undefined || permit.carrier !== undefined) return undefined;
    const finish = this.#options.outcomes.finish;
    permit.wasUsed = true;
    permit.carrier = new DirectCarrier(calls, {
      permit: id,
      connection,
      finish,
      isLast: () => permit.isLast || !this.#options.isWanted(),
      settled: (end) => this.#settled(permit, end),
    });
    return permit.carrier;
  }

  /** The calls under a permit are recorded. */
  kept(id: string): void {
    const carrier = this.#permits.get(id)?.carrier;
    if (carrier !== undefined) carrier.isKept = true;
  }

  /** The line is there again, and what was offered over the old one is not known at its other end. */
  offerAll(): void {
    for (const permit of this.#permits.values()) if (permit.carrier === undefined) this.#offer(permit);
  }

  /** A message is on the queue, which has not come. */
  noted(id: string): void {
    this.#noted.add(id);
    setTimeout(() => this.#noted.delete(id), NOTED_MS).unref();
    this.#giveUpOne();
  }

  /** A message has come. */
  delivered(id: string): void {
    this.#noted.delete(id);
  }

  #giveUpOne(): void {
    const permits = [...this.#permits.values()].filter(({ isLast }) => !isLast);
    const free = permits.find(({ carrier }) => carrier === undefined);
    if (free !== undefined) return this.#expire(free);
    const [used] = permits;
    if (used !== undefined) used.isLast = true;
  }

  /** A call is cancelled: the message that brought it is off the queue with it, and holds no place there any more. */
  cancelled(id: string): void {
    for (const permit of this.#permits.values()) if (permit.message.calls.some((call) => call.id === id)) this.#expire(permit);
  }

  /** Keeps the messages that came again for calls that go on. */
  working(): void {
    for (const { carrier } of this.#permits.values()) carrier?.working();
  }

  giveUpAll(): void {
    for (const permit of this.#permits.values()) this.#expire(permit);
  }

  #offer({ message }: Permit): void {
    this.#options.line.send({ type: "offer", permit: message.id, function: this.#options.functionId });
  }

  #look(): void {
    for (const permit of this.#permits.values()) {
      if (!permit.wasUsed) this.#expire(permit);
      permit.wasUsed = permit.carrier !== undefined;
    }
    if (this.#permits.size > 0) void this.#giveWayToQueued();
  }

  async #giveWayToQueued(): Promise<void> {
    // What cannot be asked may wait.
    if ((await this.#options.queued().catch(() => 1)) > 0) this.giveUpAll();
  }

  #expire(permit: Permit): void {
    permit.isLast = true;
    if (permit.carrier !== undefined || !this.#permits.has(permit.message.id)) return;
    this.#options.line.send({ type: "withdraw", permit: permit.message.id });
    this.#end(permit, undefined);
  }

  #settled(permit: Permit, { isOffered, comesAgainAfterMs }: DirectEnd): void {
    permit.carrier = undefined;
    if (comesAgainAfterMs !== undefined || permit.isLast || !this.#options.isWanted()) {
      if (isOffered) this.#options.line.send({ type: "withdraw", permit: permit.message.id });
      return this.#end(permit, comesAgainAfterMs);
    }
    if (!isOffered) this.#offer(permit);
  }

  #end(permit: Permit, comesAgainAfterMs: number | undefined): void {
    this.#permits.delete(permit.message.id);
    if (this.#permits.size === 0) {
      clearInterval(this.#looking);
      this.#looking = undefined;
    }
    this.#options.giveUp(permit.message, comesAgainAfterMs);
  }
}
