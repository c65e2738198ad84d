/** Many calls of one function: inputs are sent as they come, so many at once, and results are given as they are there. */
import type { EndedCall } from "@lamina/api";
import { v7 as newId } from "uuid";
import { z } from "zod";
import type { Client } from "../client/client.ts";
import { parseArgument } from "../failure.ts";
import { parseOptions } from "../options.ts";
import { callSite } from "../source.ts";
import { sendInput } from "../values/transfer.ts";
import { resultOf, startCalls } from "./call.ts";
import { sharedClient, type Target } from "./target.ts";

export interface MapOptions<OnError = never> {
  /** The most calls at once, those among them whose results nobody has taken yet; at most 1000, which is the default. */
  readonly concurrency?: number | undefined;
  /** Results in the order of the inputs, which is the default; else as they come. */
  readonly ordered?: boolean | undefined;
  /** What it gives takes the place of the result of a call that failed. Without it the first failure ends the whole. */
  readonly onError?: ((error: Error, index: number) => OnError) | undefined;
}
const MapOptions = z.strictObject({
  concurrency: z.int({ error: "must be a whole number" }).min(1, "must be 1 or more").max(1_000, "must be 1000 or less").default(1_000),
  ordered: z.boolean({ error: "must be true or false" }).default(true),
  onError: z.custom<(error: Error, index: number) => unknown>((value) => typeof value === "function", "must be a function").optional(),
});

export type Inputs<T> = Iterable<T> | AsyncIterable<T>;

/** Results of one call for each input. Whoever leaves the loop cancels what has not ended. */
export function mapCalls<Result, OnError>(
  target: Target,
  inputs: Inputs<unknown>,
  options: MapOptions<OnError>,
): AsyncGenerator<Result | OnError, void, void> {
  const at = { method: "map", source: callSite() };
  const { concurrency, ordered } = parseOptions(MapOptions, options, at);
  const { onError } = options;
  parseArgument(Iterated, inputs, { ...at, method: "map: the inputs" });
  return mapped<Result, OnError>(target, inputs, { concurrency, ordered, onError });
}

const Iterated = z.custom<Inputs<unknown>>(
  (value) => typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value),
  "must be a list, or something else to iterate over",
);

interface Ended {
  readonly index: number;
  readonly ended: EndedCall;
}

async function* mapped<Result, OnError>(
  target: Target,
  inputs: Inputs<unknown>,
  {
    concurrency,
    ordered,
    onError,
  }: { readonly concurrency: number; readonly ordered: boolean; readonly onError: MapOptions<OnError>["onError"] },
): AsyncGenerator<Result | OnError, void, void> {
  const client = await sharedClient();
  const calls = new CallsInFlight(client, target, { inputs, concurrency });
  const early = new Map<number, Ended>();
  let next = 0;
  const resultFor = async ({ index, ended }: Ended): Promise<Result | OnError> => {
    try {
      return await resultOf<Result>(client, ended.end);
    } catch (error) {
      if (onError === undefined) throw error;
      return onError(error instanceof Error ? error : new Error(String(error)), index);
    }
  };
  try {
    for (;;) {
      const one = await calls.nextEnded();
      if (one === undefined) return;
      if (!ordered) {
        calls.taken();
        yield await resultFor(one);
        continue;
      }
      early.set(one.index, one);
      for (let head = early.get(next); head !== undefined; head = early.get(next)) {
        early.delete(next);
        next += 1;
        calls.taken();
        yield await resultFor(head);
      }
    }
  } finally {
    await calls.stop();
  }
}

/** Calls in one request; as many as are at hand. */
const BATCH = 1_000;
const WAIT_MS = 20_000;
/** Calls that were started are asked about after so long at most, though others are being waited for. */
const JOIN_MS = 20;
/** A question names every call: where that are many, more of them have ended when it is answered a moment later. */
const GATHER_MS_A_CALL = 0.05;
/** So long the request that starts calls waits for their ends. */
const START_WAIT_MS = 200;

/** The calls that were started and whose results were not taken, of which there are never more than asked for. */
class CallsInFlight {
  readonly #client: Client;
  readonly #target: Target;
  readonly #limit: number;
  readonly #source: AsyncIterator<unknown> | Iterator<unknown>;
  /** Not ended, as far as is known. */
  readonly #running = new Map<string, number>();
  readonly #ended: Ended[] = [];
  /** Requests that start calls. */
  #starting = 0;
  #untaken = 0;
  #isExhausted = false;
  #isStopped = false;
  #isPulling = false;
  #failure: { readonly error: unknown } | undefined;
  /** Settled by whatever may let one of the loops go on. */
  #change = Promise.withResolvers<void>();
  #asking: AbortController | undefined;

  constructor(client: Client, target: Target, { inputs, concurrency }: { readonly inputs: Inputs<unknown>; readonly concurrency: number }) {
    this.#client = client;
    this.#target = target;
    this.#limit = concurrency;
    this.#source = Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]();
    this.#guard(this.#produce());
    this.#guard(this.#wait());
  }

  /** The next call that ended; undefined when all have. @throws what reading inputs, starting or waiting threw */
  async nextEnded(): Promise<Ended | undefined> {
    for (;;) {
      const ended = this.#ended.shift();
      if (ended !== undefined) return ended;
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#hasEnded()) return undefined;
      await this.#change.promise;
    }
  }

  #hasEnded(): boolean {
    return this.#isExhausted && this.#starting === 0 && this.#running.size === 0;
  }

  /** Says that a result leaves, so that another call may begin. */
  taken(): void {
    this.#untaken -= 1;
    this.#changed();
  }

  /** Cancels what has not ended, and ends the source of inputs. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#asking?.abort();
    this.#changed();
    const running = [...this.#running.keys()];
    if (running.length > 0) await this.#client.calls.cancel(running);
    if (this.#isExhausted) return;
    const ending = Promise.resolve(this.#source.return?.());
    // A source that is asked for its next input ends after that, however long it takes.
    if (this.#isPulling) this.#guard(ending);
    else await ending;
  }

  /** Sends inputs: as many as are at hand together, and none waits for a slower one. */
  async #produce(): Promise<void> {
    let index = 0;
    let batch: { readonly index: number; readonly input: unknown }[] = [];
    const flush = async () => {
      const sent = batch;
      batch = [];
      if (sent.length === 0) return;
      // The platform does short calls within the request that starts them. One at a time waits for that, and none that comes after.
      const waits = this.#starting === 0 && this.#running.size === 0;
      const started = this.#start(sent, waits);
      if (waits) this.#guard(started);
      else await started;
    };
    while (!this.#isStopped) {
      if (this.#untaken >= this.#limit) {
        await flush();
        while (this.#untaken >= this.#limit && !this.#isStopped) await this.#change.promise;
        continue;
      }
      const coming = this.#pull();
      const item = (await Promise.race([coming, afterThisTurn()])) ?? (await Promise.all([coming, flush()]))[0];
      if (item.done === true) {
        await flush();
        this.#isExhausted = true;
        return this.#changed();
      }
      this.#untaken += 1;
      batch.push({ index, input: item.value });
      index += 1;
      if (batch.length === BATCH) await flush();
    }
  }

  async #pull(): Promise<IteratorResult<unknown>> {
    this.#isPulling = true;
    try {
      return await this.#source.next();
    } finally {
      this.#isPulling = false;
    }
  }

  async #start(batch: readonly { readonly index: number; readonly input: unknown }[], waits: boolean): Promise<void> {
    if (this.#isStopped) return;
    this.#starting += 1;
    try {
      await this.#startNow(batch, waits);
    } finally {
      this.#starting -= 1;
      this.#changed();
    }
  }

  async #startNow(batch: readonly { readonly index: number; readonly input: unknown }[], waits: boolean): Promise<void> {
    const calls = await Promise.all(
      batch.map(async ({ index, input }) => ({ id: newId(), index, input: await sendInput(this.#client, { args: [input], kwargs: {} }) })),
    );
    const patience = waits ? { waitMs: START_WAIT_MS, gatherMs: START_WAIT_MS } : {};
    const ended = await startCalls(this.#client, this.#target, { calls: calls.map(({ id, input }) => ({ id, input })), ...patience });
    // Not before, since the platform is asked about these, and has to know them.
    for (const { id, index } of calls) this.#running.set(id, index);
    this.#collect(ended);
    // A question that is on its way knows nothing of these.
    const asking = this.#asking;
    if (asking !== undefined) setTimeout(() => asking.abort(), JOIN_MS);
    this.#changed();
    if (this.#isStopped) await this.#client.calls.cancel(calls.map(({ id }) => id));
  }

  async #wait(): Promise<void> {
    while (!this.#isStopped && !this.#hasEnded()) {
      if (this.#running.size === 0) {
        await this.#change.promise;
        continue;
      }
      const asking = new AbortController();
      this.#asking = asking;
      try {
        const ids = [...this.#running.keys()];
        const patience = { waitMs: WAIT_MS, gatherMs: Math.floor(ids.length * GATHER_MS_A_CALL) };
        this.#collect(await this.#client.calls.wait({ ids, ...patience }, { signal: asking.signal }));
      } catch (error) {
        if (!asking.signal.aborted) throw error;
      } finally {
        this.#asking = undefined;
      }
    }
  }

  #collect(ended: readonly EndedCall[]): void {
    for (const one of ended) {
      const index = this.#running.get(one.id);
      if (!this.#running.delete(one.id) || index === undefined) continue;
      this.#ended.push({ index, ended: one });
    }
    if (ended.length > 0) this.#changed();
  }

  #guard(loop: Promise<unknown>): void {
    loop.catch((error: unknown) => {
      this.#failure ??= { error };
      this.#changed();
    });
  }

  #changed(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers();
    resolve();
  }
}

function afterThisTurn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}
