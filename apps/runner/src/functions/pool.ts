/**
 * The calls of one version of a function that this runner holds.
 *
 * I1: a call is held from its delivery until its end is recorded or it is put back, and its message is kept alive meanwhile.
 * I2: what ends a call in another way than by itself is decided once, by its verdict, before its container is ended.
 * I3: the calls of one message have one place in one container, so that no more calls of a function go on at once than messages are held.
 */
import type { CallMessage, ServedFunction, ValueType } from "@lamina/api";
import type { ControlPlane } from "@lamina/service";
import type { JsMsg } from "@nats-io/jetstream";
import { ContainerGone, type HarnessOutcome } from "./container.ts";
import { DirectCarrier } from "./direct-carrier.ts";
import { Crew, type CrewOptions, type Member } from "./crew.ts";
import { broken, crashed, lost, threw, timedOut, unreadable } from "./ends.ts";
import { type HeldCall, HeldMessage, messageId } from "./held-call.ts";
import { callsInTurn, type Turn } from "./in-turn.ts";
import { prepare } from "./launch.ts";
import type { Connection, Line } from "./line.ts";
import type { Outcome, Outcomes } from "./outcomes.ts";
import { Permits } from "./permits.ts";
import type { StartedReporter } from "./started.ts";
import type { Values } from "./values.ts";

export interface PoolOptions extends Omit<CrewOptions, "served" | "onChange" | "onBroken"> {
  readonly served: ServedFunction;
  readonly controlPlane: Pick<ControlPlane, "calls" | "functions">;
  readonly values: Values;
  readonly outcomes: Outcomes;
  readonly started: StartedReporter;
  readonly line: Line;
  /** How many messages wait in the queue. */
  readonly queued: () => Promise<number>;
}

/** How often a call may be begun beside its retries. */
const MOST_DELIVERIES = 5;
/** So long calls wait behind those that they came together with, which were expected to be short. */
const MOMENT_MS = 200;
/** So long a cancelled call may take to end by itself, where others go on beside it. */
const CANCEL_MS = 2_000;

export class FunctionPool {
  readonly held = new Map<string, HeldCall>();
  readonly messages = new Set<HeldMessage>();
  readonly permits: Permits;
  readonly #options: PoolOptions;
  readonly #crew: Crew;
  /** Each for one place in a container. */
  readonly #waiting: HeldCall[][] = [];
  #served: ServedFunction;
  #stopping = false;
  /** Whether the last call took no more than a moment. */
  #isQuick = false;
  /** Told when a message is not held any more. */
  #onForgotten: () => void = () => undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#served = options.served;
    this.#crew = new Crew({
      ...options,
      served: () => this.#served,
      onChange: () => this.dispatch(),
      onBroken: (reason) => this.#failWaiting(reason),
    });
    this.permits = new Permits({
      functionId: this.#served.id,
      line: options.line,
      outcomes: options.outcomes,
      queued: options.queued,
      // What is tried again has to come from the queue.
      isWanted: () => !this.#stopping && this.#served.state === "active" && (this.#served.retries?.max ?? 0) === 0,
      giveUp: (message, comesAgainAfterMs) => this.#giveUp(message, comesAgainAfterMs),
    });
    // What a first call would wait for; why it cannot be had is told to that.
    prepare(this.#served, options).catch(() => undefined);
    this.dispatch();
  }

  get served(): ServedFunction {
    return this.#served;
  }

  /** How many messages this runner may hold. */
  get capacity(): number {
    const { maxContainers, concurrency, gpus } = this.#served;
    const containers = gpus === 0 ? maxContainers : Math.min(maxContainers, Math.max(1, Math.floor(this.#options.gpus.count / gpus)));
    return containers * concurrency;
  }

  get waitsForGpus(): boolean {
    return this.#waiting.length > 0 && this.#served.gpus > 0;
  }

  /** Resolves when a message has gone. */
  roomAgain(): Promise<void> {
    return new Promise((resolve) => (this.#onForgotten = resolve));
  }

  /** The same version, which may be drained now. */
  update(served: ServedFunction): void {
    if (served.state === this.#served.state) return;
    this.#served = served;
    if (served.state === "draining") this.permits.giveUpAll();
    this.#crew.reconsider();
    this.dispatch();
  }

  /** Whether the message is one that is held, and was delivered again. */
  isHeld(message: JsMsg, { calls }: CallMessage): boolean {
    if (this.permits.isKept(messageId(message), message)) return true;
    const known = calls.map(({ id }) => this.held.get(id)).find((call) => call !== undefined);
    known?.carrier.deliveredAgain(message);
    return known !== undefined;
  }

  take(delivered: JsMsg, content: CallMessage): void {
    const message = new HeldMessage(delivered, content, {
      finish: this.#options.outcomes.finish,
      settled: (settled, comesAgainAfterMs) => {
        if (comesAgainAfterMs !== undefined || !this.permits.keep(settled)) this.#giveUp(settled, comesAgainAfterMs);
      },
    });
    const { calls, deliveries } = message;
    this.messages.add(message);
    this.permits.delivered(message.id);
    for (const call of calls) this.held.set(call.id, call);
    if (deliveries > MOST_DELIVERIES + (this.#served.retries?.max ?? 0)) {
      for (const call of calls) void this.#end(call, lost(deliveries));
      return;
    }
    this.#waiting.push([...calls]);
    this.dispatch();
  }

  /** A message was put on the queue. */
  queued(id: string): void {
    for (const message of this.messages) if (message.id === id) return;
    this.permits.noted(id);
  }

  /** Takes calls that came over the line. @returns whether they could be taken */
  takeDirectly(permit: string, calls: CallMessage, connection: Connection): boolean {
    if (this.#stopping || calls.calls.some(({ id }) => this.held.has(id))) return false;
    const taken = this.permits.begin(permit, calls, connection);
    if (taken === undefined) return false;
    for (const call of taken.calls) this.held.set(call.id, call);
    this.#waiting.push([...taken.calls]);
    this.dispatch();
    return true;
  }

  /** A call that nobody wants any more. */
  cancel(id: string): void {
    this.permits.cancelled(id);
    const call = this.held.get(id);
    if (call === undefined || call.verdict !== undefined) return;
    call.verdict = "cancelled";
    if (this.#waiting.some((calls) => calls.includes(call))) {
      this.#leaveQueue(call);
      return this.#drop(call);
    }
    const member = this.#crew.of(call);
    // One that has not begun is ended when its turn comes.
    if (member === undefined || call.startedAt === undefined) return;
    if (this.#served.concurrency === 1) return this.#crew.kill(member);
    member.container?.cancel(id);
    setTimeout(() => {
      if (member.running.has(call)) this.#crew.leave(member);
    }, CANCEL_MS);
  }

  /** Ends a container that has nothing to do. @returns whether there was one */
  spareContainer(): boolean {
    return this.#crew.spare();
  }

  /** Gives calls to containers that have room, and starts those that are wanted. */
  dispatch(): void {
    if (this.#stopping) return;
    while (this.#waiting.length > 0) {
      const member = this.#crew.withRoom();
      const calls = member && this.#waiting.shift();
      if (member === undefined || calls === undefined) break;
      void this.#run(calls, member);
    }
    this.#crew.grow(this.#waiting.length);
  }

  /**
   * Waits for the calls that have begun, and puts back the others; then ends all containers.
   * @param signal allows no more time to calls
   * @param end nor to clean-up
   */
  async stop(signal: AbortSignal, end: AbortSignal): Promise<void> {
    this.#stopping = true;
    this.permits.giveUpAll();
    for (const call of this.#waiting.splice(0).flat()) this.#putBack(call);
    const putBackAll = (): void => {
      for (const call of this.held.values()) if (this.#crew.of(call) !== undefined) call.verdict ??= "put back";
      this.#crew.killBusy();
    };
    signal.addEventListener("abort", putBackAll, { once: true });
    if (signal.aborted) putBackAll();
    while (this.held.size > 0) await this.roomAgain();
    signal.removeEventListener("abort", putBackAll);
    await this.#crew.stop(end);
    await this.#options.logs.flushed();
  }

  #failWaiting(reason: unknown): void {
    for (const call of this.#waiting.splice(0).flat()) void this.#end(call, broken(reason, this.#served));
  }

  /** Does the calls of one message, one after the other. */
  async #run(calls: HeldCall[], member: Member): Promise<void> {
    const { container } = member;
    if (container === undefined) throw new TypeError("a container that has room is there");
    const { values } = this.#options;
    const inAdvance = () => this.#isQuick && this.#served.concurrency === 1;
    const turns = callsInTurn(calls, { container, running: member.running, values, inAdvance });
    const moment = calls.length === 1 ? undefined : setTimeout(() => void this.#sendApart(turns.leave()), MOMENT_MS);
    for (let turn = turns.next(); turn !== undefined; turn = turns.next()) {
      const { call } = turn;
      const outcome = await this.#watched(turn, member);
      turns.ended(turn);
      if (outcome instanceof ContainerGone) this.#waitAgain(turns.rest());
      else if (this.#stopping || member.state !== "ready") this.#waitAgain(turns.leave());
      if (outcome instanceof ContainerGone && member.isKilled && call.verdict === undefined) this.#waitAgain([call]);
      else if (call.verdict === "put back" && outcome instanceof ContainerGone) this.#putBack(call);
      else if (call.verdict === "cancelled") this.#drop(call);
      else void this.#endOf(outcome, call).then((end) => this.#end(call, end));
    }
    clearTimeout(moment);
    this.#crew.left(member);
    this.dispatch();
  }

  /** What comes of a call, from its beginning in its container, whose first it is now. */
  async #watched({ call, outcome }: Turn, member: Member): Promise<HarnessOutcome | Error> {
    const begunAt = performance.now();
    call.startedAt = Date.now();
    if (call.verdict === "cancelled" && member.running.has(call)) this.#crew.kill(member);
    const timer = setTimeout(() => this.#timeOut(call, member), this.#served.timeoutSeconds * 1000);
    const ended = this.#options.started.soon({ id: call.id, container: member.container?.id ?? "" });
    const result = await outcome;
    clearTimeout(timer);
    ended();
    call.tookMs = performance.now() - begunAt;
    this.#isQuick = call.tookMs < MOMENT_MS;
    return result;
  }

  /** Calls that have not begun wait behind one that takes long: whoever has room may have them. */
  async #sendApart(calls: readonly HeldCall[]): Promise<void> {
    const [first] = calls;
    if (first === undefined) return;
    if (first.carrier instanceof DirectCarrier) return calls.forEach((call) => this.#putBack(call));
    const { controlPlane, logger, signal } = this.#options;
    try {
      await controlPlane.calls.sendApart(
        { function: this.#served.id, message: first.carrier.id, ids: calls.map(({ id }) => id) },
        { signal },
      );
      for (const call of calls) this.#drop(call);
    } catch (error) {
      logger.warn({ error: String(error), calls: calls.length }, "calls behind a slow one cannot go elsewhere yet");
      for (const call of calls) this.#putBack(call);
    }
  }

  /** Calls whose container is gone, or is to go, before they began. */
  #waitAgain(calls: readonly HeldCall[]): void {
    const wanted = calls.filter((call) => {
      if (call.verdict === "cancelled") this.#drop(call);
      else if (this.#stopping) this.#putBack(call);
      return call.verdict !== "cancelled" && !this.#stopping;
    });
    if (wanted.length > 0) this.#waiting.unshift(wanted);
  }

  async #endOf(outcome: HarnessOutcome | Error, { verdict }: HeldCall): Promise<Outcome["end"]> {
    if (outcome instanceof ContainerGone) return verdict === "timed out" ? timedOut(this.#served) : crashed(outcome.exit, this.#served);
    if (outcome instanceof Error) return unreadable(outcome.message);
    const keep = (type: ValueType, body: Buffer) => this.#options.values.write(this.#served.workspace, type, body);
    try {
      switch (outcome.kind) {
        case "result":
          return { state: "done", result: await keep(outcome.type, outcome.body) };
        case "error": {
          const { exception, pickled } = outcome;
          return threw({ ...exception, ...(pickled !== undefined && { pickled: await keep(pickled.type, pickled.body) }) });
        }
        case "unreadable":
          return unreadable(outcome.message);
      }
    } catch (error) {
      return unreadable(`The result cannot be kept: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #timeOut(call: HeldCall, member: Member): void {
    if (call.verdict !== undefined) return;
    call.verdict = "timed out";
    // What goes on beside it ends with the container, for no fault of its own.
    for (const other of member.running) if (other.startedAt !== undefined) other.verdict ??= "put back";
    this.#crew.kill(member);
  }

  /** What the call came to is recorded, behind its lines. */
  async #end(call: HeldCall, end: Outcome["end"]): Promise<void> {
    const { logs, logger } = this.#options;
    try {
      await logs.flushed();
      const { id, startedAt, tookMs } = call;
      this.#forget(call, await call.carrier.finish({ id, delivery: call.carrier.deliveries, startedAt, tookMs, end }));
    } catch (error) {
      logger.warn({ error: String(error), call: call.id }, "the end of a call is not recorded; the call will come again");
      this.#putBack(call);
    }
  }

  #putBack(call: HeldCall): void {
    this.#forget(call, 0);
  }

  /** Its end is recorded already, as that of one that was cancelled, or it has another message. */
  #drop(call: HeldCall): void {
    this.#forget(call, undefined);
  }

  #forget(call: HeldCall, comesAgainAfterMs: number | undefined): void {
    this.held.delete(call.id);
    call.carrier.settle(call, comesAgainAfterMs);
    this.#onForgotten();
  }

  #giveUp(message: HeldMessage, comesAgainAfterMs: number | undefined): void {
    message.giveUp(comesAgainAfterMs);
    this.messages.delete(message);
    this.#onForgotten();
  }

  #leaveQueue(call: HeldCall): void {
    for (const calls of this.#waiting) if (calls.includes(call)) calls.splice(calls.indexOf(call), 1);
    const left = this.#waiting.filter((calls) => calls.length > 0);
    this.#waiting.splice(0, this.#waiting.length, ...left);
  }
}
