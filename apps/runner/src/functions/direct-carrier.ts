/** What brought calls over the line: their ends are told over it, unless they are recorded or it was lost. */
import type { CallMessage } from "@lamina/api";
import type { JsMsg } from "@nats-io/jetstream";
import { type Carrier, type HeldCall, heldCall } from "./held-call.ts";
import type { Connection } from "./line.ts";
import type { Outcome } from "./outcomes.ts";

/** What has become of the calls. */
export interface DirectEnd {
  /** Whether the other end takes the permit for free now. */
  readonly isOffered: boolean;
  readonly comesAgainAfterMs: number | undefined;
}

interface DirectOptions {
  readonly permit: string;
  /** That brought them. */
  readonly connection: Connection;
  /** For the ends of calls that are recorded. */
  readonly finish: Carrier["finish"];
  /** Whether the permit is given up after them. */
  readonly isLast: () => boolean;
  readonly settled: (end: DirectEnd) => void;
}

/** The ends of short calls go together. */
const GATHER_MS = 5;

export class DirectCarrier implements Carrier {
  readonly id: string;
  readonly calls: readonly HeldCall[];
  /** They are recorded, and their ends are told as those of calls from the queue are. */
  isKept = false;
  readonly #options: DirectOptions;
  /** Those that the other end has not been told of. */
  readonly #left: Set<string>;
  #unsettled: number;
  #ended: Outcome[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #hasGivenBack = false;
  #isOffered = false;
  #comesAgainAfterMs: number | undefined;
  /** Those that brought some of them once more, when the line was lost. */
  readonly #messages: JsMsg[] = [];

  constructor({ method, calls }: CallMessage, options: DirectOptions) {
    this.id = options.permit;
    this.#options = options;
    this.calls = calls.map(({ id, input }) => heldCall(this, { id, method, input }));
    this.#left = new Set(calls.map(({ id }) => id));
    this.#unsettled = calls.length;
  }

  get deliveries(): number {
    return this.#messages.at(-1)?.info.deliveryCount ?? 1;
  }

  deliveredAgain(message: JsMsg): void {
    this.#messages.push(message);
  }

  /** Keeps those messages from being delivered again. */
  working(): void {
    for (const message of this.#messages) message.working();
  }

  async finish(outcome: Outcome): Promise<number | undefined> {
    if (this.isKept || !this.#options.connection.isOpen) return this.#options.finish(outcome);
    this.#left.delete(outcome.id);
    this.#ended.push(outcome);
    if (this.#left.size === 0) this.#tell();
    else this.#gathering ??= setTimeout(() => this.#tell(), GATHER_MS);
    return undefined;
  }

  settle({ id }: HeldCall, comesAgainAfterMs: number | undefined): void {
    const { connection, permit, settled } = this.#options;
    if (comesAgainAfterMs !== undefined) this.#comesAgainAfterMs = Math.max(this.#comesAgainAfterMs ?? 0, comesAgainAfterMs);
    // Its end is recorded, or somebody else is to have it.
    if (this.#left.delete(id)) {
      this.#hasGivenBack = true;
      connection.send({ type: "back", permit, calls: [id] });
    }
    this.#unsettled -= 1;
    if (this.#unsettled > 0) return;
    this.#tell();
    for (const message of this.#messages) {
      if (this.#comesAgainAfterMs === undefined) message.ack();
      else message.nak(this.#comesAgainAfterMs);
    }
    settled({ isOffered: this.#isOffered, comesAgainAfterMs: this.#comesAgainAfterMs });
  }

  #tell(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const { connection, finish, isLast, permit } = this.#options;
    const calls = this.#ended;
    if (calls.length === 0) return;
    this.#ended = [];
    const isEnd = this.#left.size === 0;
    if (isEnd && isLast()) connection.send({ type: "withdraw", permit });
    else this.#isOffered = isEnd && !this.#hasGivenBack;
    // Where the line was lost since, they may be recorded already. It fails only when this runner has no more time to tell anything.
    if (!connection.send({ type: "ended", permit, calls })) for (const outcome of calls) finish(outcome).catch(() => undefined);
  }
}
