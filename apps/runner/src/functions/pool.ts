/**
 * The containers of one version of a function, and the calls that this runner holds of it.
 *
 * I1: a call is held from its delivery until its end is recorded or it is put back, and its message is kept alive meanwhile.
 * I2: what ends a call in another way than by itself is decided once, by its verdict, before its container is ended.
 * I3: a container that is to go is given no call any more.
 */
import type { ServedFunction } from "@lamina/api";
import type { Logger } from "@lamina/service";
import { type Container, ContainerGone, type HarnessOutcome } from "./container.ts";
import { broken, crashed, isPassing, lost, threw, timedOut, unreadable } from "./ends.ts";
import type { Gpus } from "./gpus.ts";
import type { HeldCall } from "./held-call.ts";
import { launch, type LaunchContext, prepare } from "./launch.ts";
import type { LogWriter } from "./logs.ts";
import type { Outcome, Outcomes } from "./outcomes.ts";
import type { StartedReporter } from "./started.ts";
import type { Values } from "./values.ts";

export interface PoolOptions extends LaunchContext {
  readonly served: ServedFunction;
  readonly values: Values;
  readonly outcomes: Outcomes;
  readonly started: StartedReporter;
  readonly logs: LogWriter;
  readonly gpus: Gpus;
  readonly logger: Logger;
  /** There are no GPUs left for a container that is needed: somebody may have one to spare. */
  readonly onGpusWanted: () => void;
}

interface Slot {
  container: Container | undefined;
  readonly devices: readonly string[];
  state: "starting" | "ready" | "going";
  readonly running: Map<HeldCall, NodeJS.Timeout>;
  idle: NodeJS.Timeout | undefined;
  /** Resolves when it is no more. */
  gone: Promise<void>;
}

/** How often a call may be begun beside its retries. */
const MOST_DELIVERIES = 5;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;
/** At least so long may a container take to get ready. */
const SET_UP_SECONDS = 300;
/** A version that was replaced keeps containers only as long as calls follow each other. */
const DRAINING_IDLE_MS = 1_000;

export class FunctionPool {
  readonly held = new Map<string, HeldCall>();
  readonly #options: PoolOptions;
  #served: ServedFunction;
  readonly #slots = new Set<Slot>();
  readonly #waiting: HeldCall[] = [];
  #backoffMs = 0;
  #backoff: NodeJS.Timeout | undefined;
  #stopping = false;
  #onEmpty: (() => void) | undefined;
  #onRoom: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#served = options.served;
    // What a first call would wait for.
    prepare(this.#served, options).catch(() => undefined);
    this.#dispatch();
  }

  get served(): ServedFunction {
    return this.#served;
  }

  /** How many calls this runner has room for. */
  get capacity(): number {
    const { maxContainers, concurrency, gpus } = this.#served;
    const containers = gpus === 0 ? maxContainers : Math.min(maxContainers, Math.max(1, Math.floor(this.#options.gpus.count / gpus)));
    return containers * concurrency;
  }

  /** Resolves when a call has gone. */
  roomAgain(): Promise<void> {
    return new Promise((resolve) => (this.#onRoom = resolve));
  }

  /** The same version, which may be drained now. */
  update(served: ServedFunction): void {
    this.#served = served;
    for (const slot of this.#slots) if (slot.state === "ready" && slot.running.size === 0) this.#restWith(slot);
    this.#dispatch();
  }

  take(call: HeldCall): void {
    const known = this.held.get(call.id);
    if (known !== undefined) {
      known.message = call.message;
      return;
    }
    this.held.set(call.id, call);
    const { deliveryCount } = call.message.info;
    if (deliveryCount > MOST_DELIVERIES + (this.#served.retries?.max ?? 0)) return void this.#end(call, lost(deliveryCount));
    this.#waiting.push(call);
    this.#dispatch();
  }

  /** Calls that nobody wants any more. */
  cancel(id: string): void {
    const call = this.held.get(id);
    if (call === undefined || call.verdict !== undefined) return;
    call.verdict = "cancelled";
    if (call.state === "waiting") return this.#drop(call);
    const slot = [...this.#slots].find(({ running }) => running.has(call));
    if (this.#served.concurrency > 1) slot?.container?.cancel(id);
    else if (slot !== undefined) this.#kill(slot);
  }

  /** Ends a container that has nothing to do. @returns whether there was one */
  spareContainer(): boolean {
    const slot = [...this.#slots].find(({ state, running }) => state === "ready" && running.size === 0);
    if (slot !== undefined) this.#retire(slot);
    return slot !== undefined;
  }

  get waitsForGpus(): boolean {
    return this.#waiting.length > 0 && this.#served.gpus > 0;
  }

  tryAgain(): void {
    this.#dispatch();
  }

  /** Waits for the calls that have begun, as long as the signal allows, and puts back the others; then ends all containers. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#backoff);
    for (const call of [...this.#waiting]) this.#putBack(call);
    const putBackAll = (): void => {
      for (const slot of this.#slots) {
        for (const call of slot.running.keys()) call.verdict ??= "put back";
        if (slot.running.size > 0) this.#kill(slot);
      }
    };
    if (this.held.size > 0) {
      const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
      if (signal.aborted) putBackAll();
      else signal.addEventListener("abort", putBackAll, { once: true });
      await empty;
      signal.removeEventListener("abort", putBackAll);
    }
    await Promise.all(
      [...this.#slots].map(async (slot) => {
        if (slot.state === "starting") {
          slot.state = "going";
          slot.container?.kill();
        } else this.#retire(slot);
        await slot.gone;
      }),
    );
  }

  #dispatch(): void {
    if (this.#stopping) return;
    while (this.#waiting.length > 0) {
      const slot = this.#slotWithRoom();
      const call = slot && this.#waiting.shift();
      if (slot === undefined || call === undefined) break;
      void this.#run(call, slot);
    }
    while (this.#wantsContainer()) if (!this.#startContainer()) break;
  }

  /** The fullest that has room, so that others become idle. */
  #slotWithRoom(): Slot | undefined {
    let best: Slot | undefined;
    for (const slot of this.#slots) {
      const hasRoom = slot.state === "ready" && slot.running.size < this.#served.concurrency;
      if (hasRoom && (best === undefined || slot.running.size > best.running.size)) best = slot;
    }
    return best;
  }

  #wantsContainer(): boolean {
    const { minContainers, maxContainers, concurrency, state } = this.#served;
    if (this.#backoff !== undefined || this.#slots.size >= maxContainers) return false;
    const slots = [...this.#slots];
    const starting = slots.filter((slot) => slot.state === "starting").length;
    if (this.#waiting.length > starting * concurrency) return true;
    return state === "active" && slots.filter((slot) => slot.state !== "going").length < minContainers;
  }

  #startContainer(): boolean {
    const { gpus, onGpusWanted } = this.#options;
    const { gpus: wanted } = this.#served;
    if (wanted > gpus.count) {
      const reason = new Error(`it takes ${wanted} GPUs, of which this runner has ${gpus.count}`);
      this.#failWaiting(reason);
      return false;
    }
    const devices = gpus.take(wanted);
    if (devices === undefined) {
      if (this.#waiting.length > 0) onGpusWanted();
      return false;
    }
    const slot: Slot = { container: undefined, devices, state: "starting", running: new Map(), idle: undefined, gone: Promise.resolve() };
    this.#slots.add(slot);
    slot.gone = this.#bringUp(slot);
    return true;
  }

  async #bringUp(slot: Slot): Promise<void> {
    const { logger, gpus } = this.#options;
    const seconds = Math.max(this.#served.timeoutSeconds, SET_UP_SECONDS);
    let timer: NodeJS.Timeout | undefined;
    let reason: unknown;
    try {
      const container = await launch(this.#served, slot.devices, this.#options.logs, this.#options, (started) => {
        slot.container = started;
        if (slot.state === "going") started.kill();
        timer = setTimeout(() => this.#kill(slot), seconds * 1000);
      });
      clearTimeout(timer);
      if (slot.state === "starting") {
        slot.state = "ready";
        this.#backoffMs = 0;
        this.#restWith(slot);
        this.#dispatch();
      }
      await container.exited;
    } catch (error) {
      reason = error;
      await slot.container?.exited;
    }
    clearTimeout(timer);
    clearTimeout(slot.idle);
    const wasWanted = slot.state !== "going";
    slot.state = "going";
    this.#slots.delete(slot);
    gpus.giveBack(slot.devices);
    if (reason !== undefined && wasWanted) {
      logger.warn({ err: reason, function: this.#served.name, app: this.#served.appName }, "a container could not be set up");
      this.#backOff(reason);
    }
    this.#dispatch();
  }

  #backOff(reason: unknown): void {
    if (this.#stopping) return;
    this.#backoffMs = Math.min(this.#backoffMs === 0 ? FIRST_BACKOFF_MS : this.#backoffMs * 2, LONGEST_BACKOFF_MS);
    clearTimeout(this.#backoff);
    this.#backoff = setTimeout(() => {
      this.#backoff = undefined;
      this.#dispatch();
    }, this.#backoffMs);
    // Where others work, it is not the function.
    if (!isPassing(reason) && ![...this.#slots].some(({ state }) => state === "ready")) this.#failWaiting(reason);
  }

  #failWaiting(reason: unknown): void {
    for (const call of this.#waiting.splice(0)) void this.#end(call, broken(reason, this.#served));
  }

  async #run(call: HeldCall, slot: Slot): Promise<void> {
    const { values, started } = this.#options;
    const { container } = slot;
    if (container === undefined) throw new TypeError("a container that is ready is there");
    clearTimeout(slot.idle);
    call.state = "running";
    const timer = setTimeout(() => this.#timeOut(call, slot), this.#served.timeoutSeconds * 1000);
    slot.running.set(call, timer);
    let end: Outcome["end"];
    try {
      const body = await values.read(call.input);
      call.startedAt = Date.now();
      const forgetStart = started.soon({ id: call.id, container: container.id });
      const outcome = await container.call({ call: call.id, method: call.method, type: call.input.type, body }).finally(forgetStart);
      this.#leave(call, slot);
      end = await this.#endOf(outcome);
    } catch (error) {
      this.#leave(call, slot);
      if (call.verdict === "put back") return this.#putBack(call);
      if (call.verdict === "timed out") end = timedOut(this.#served);
      else
        end =
          error instanceof ContainerGone
            ? crashed(error.exit, this.#served)
            : unreadable(error instanceof Error ? error.message : String(error));
    }
    if (call.verdict === "cancelled") return this.#drop(call);
    await this.#end(call, end);
  }

  #leave(call: HeldCall, slot: Slot): void {
    clearTimeout(slot.running.get(call));
    slot.running.delete(call);
    if (slot.state === "ready" && slot.running.size === 0) this.#restWith(slot);
    this.#dispatch();
  }

  async #endOf(outcome: HarnessOutcome): Promise<Outcome["end"]> {
    const { values } = this.#options;
    switch (outcome.kind) {
      case "result":
        return { state: "done", result: await values.write(outcome.type, outcome.body) };
      case "error": {
        const { exception, pickled } = outcome;
        return threw({ ...exception, ...(pickled !== undefined && { pickled: await values.write(pickled.type, pickled.body) }) });
      }
      case "unreadable":
        return unreadable(outcome.message);
    }
  }

  #timeOut(call: HeldCall, slot: Slot): void {
    if (call.verdict !== undefined) return;
    call.verdict = "timed out";
    // What goes on beside it ends with the container, for no fault of its own.
    for (const other of slot.running.keys()) other.verdict ??= "put back";
    this.#kill(slot);
  }

  /** What the call came to is recorded, behind its lines. */
  async #end(call: HeldCall, end: Outcome["end"]): Promise<void> {
    const { logs, outcomes, logger } = this.#options;
    call.state = "ending";
    try {
      await logs.flushed();
      const { startedAt } = call;
      const delivery = call.message.info.deliveryCount;
      const retryAfterMs = await outcomes.finish({ id: call.id, delivery, ...(startedAt !== undefined && { startedAt }), end });
      if (retryAfterMs === undefined) call.message.ack();
      else call.message.nak(retryAfterMs);
    } catch (error) {
      logger.warn({ error: String(error), call: call.id }, "the end of a call is not recorded; the call will come again");
      call.message.nak();
    }
    this.#forget(call);
  }

  #putBack(call: HeldCall): void {
    call.message.nak();
    this.#forget(call);
  }

  /** Of one that was cancelled, the end is recorded already. */
  #drop(call: HeldCall): void {
    call.message.ack();
    this.#forget(call);
  }

  #forget(call: HeldCall): void {
    const position = this.#waiting.indexOf(call);
    if (position !== -1) this.#waiting.splice(position, 1);
    this.held.delete(call.id);
    this.#onRoom?.();
    if (this.held.size === 0) this.#onEmpty?.();
  }

  #restWith(slot: Slot): void {
    clearTimeout(slot.idle);
    const { idleSeconds, minContainers, state } = this.#served;
    const isDraining = state === "draining";
    const idleMs = isDraining ? Math.min(idleSeconds * 1000, DRAINING_IDLE_MS) : idleSeconds * 1000;
    slot.idle = setTimeout(() => {
      const kept = [...this.#slots].filter((one) => one.state !== "going").length;
      if (slot.state === "ready" && slot.running.size === 0 && (isDraining || kept > minContainers)) this.#retire(slot);
    }, idleMs);
    slot.idle.unref();
  }

  #retire(slot: Slot): void {
    if (slot.state === "going") return;
    slot.state = "going";
    void slot.container?.stop();
  }

  #kill(slot: Slot): void {
    const { state } = slot;
    // One that never gets ready is told of as broken.
    if (state === "ready") slot.state = "going";
    slot.container?.kill();
  }
}
