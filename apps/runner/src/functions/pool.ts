/**
 * The calls of one version of a function that this runner holds.
 *
 * I1: a call is held from its delivery until its end is recorded or it is put back, and its message is kept alive meanwhile.
 * I2: what ends a call in another way than by itself is decided once, by its verdict, before its container is ended.
 */
import type { ServedFunction, ValueType } from "@lamina/api";
import { ContainerGone, type HarnessOutcome } from "./container.ts";
import { Crew, type CrewOptions, type Member } from "./crew.ts";
import { broken, crashed, lost, threw, timedOut, unreadable } from "./ends.ts";
import type { HeldCall } from "./held-call.ts";
import { prepare } from "./launch.ts";
import type { Outcome, Outcomes } from "./outcomes.ts";
import type { StartedReporter } from "./started.ts";
import type { Values } from "./values.ts";

export interface PoolOptions extends Omit<CrewOptions, "served" | "onChange" | "onBroken"> {
  readonly served: ServedFunction;
  readonly values: Values;
  readonly outcomes: Outcomes;
  readonly started: StartedReporter;
}

/** How often a call may be begun beside its retries. */
const MOST_DELIVERIES = 5;

export class FunctionPool {
  readonly held = new Map<string, HeldCall>();
  readonly #options: PoolOptions;
  readonly #crew: Crew;
  readonly #waiting: HeldCall[] = [];
  #served: ServedFunction;
  #stopping = false;
  /** Told when a call is not held any more. */
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
    // What a first call would wait for; why it cannot be had is told to that.
    prepare(this.#served, options).catch(() => undefined);
    this.dispatch();
  }

  get served(): ServedFunction {
    return this.#served;
  }

  /** How many calls this runner may hold. */
  get capacity(): number {
    const { maxContainers, concurrency, gpus } = this.#served;
    const containers = gpus === 0 ? maxContainers : Math.min(maxContainers, Math.max(1, Math.floor(this.#options.gpus.count / gpus)));
    return containers * concurrency;
  }

  get waitsForGpus(): boolean {
    return this.#waiting.length > 0 && this.#served.gpus > 0;
  }

  /** Resolves when a call has gone. */
  roomAgain(): Promise<void> {
    return new Promise((resolve) => (this.#onForgotten = resolve));
  }

  /** The same version, which may be drained now. */
  update(served: ServedFunction): void {
    if (served.state === this.#served.state) return;
    this.#served = served;
    this.#crew.reconsider();
    this.dispatch();
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
    this.dispatch();
  }

  /** A call that nobody wants any more. */
  cancel(id: string): void {
    const call = this.held.get(id);
    if (call === undefined || call.verdict !== undefined) return;
    call.verdict = "cancelled";
    if (this.#waiting.includes(call)) return this.#drop(call);
    const member = this.#crew.of(call);
    if (this.#served.concurrency > 1) member?.container?.cancel(id);
    else if (member !== undefined) this.#crew.kill(member);
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
      const call = member && this.#waiting.shift();
      if (member === undefined || call === undefined) break;
      void this.#run(call, member);
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
    for (const call of this.#waiting.splice(0)) this.#putBack(call);
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
    for (const call of this.#waiting.splice(0)) void this.#end(call, broken(reason, this.#served));
  }

  async #run(call: HeldCall, member: Member): Promise<void> {
    const timer = setTimeout(() => this.#timeOut(call, member), this.#served.timeoutSeconds * 1000);
    member.running.add(call);
    const outcome = await this.#outcomeOf(call, member);
    clearTimeout(timer);
    member.running.delete(call);
    this.#crew.left(member);
    this.dispatch();
    if (call.verdict === "put back" && outcome instanceof ContainerGone) return this.#putBack(call);
    if (call.verdict === "cancelled") return this.#drop(call);
    await this.#end(call, await this.#endOf(outcome, call));
  }

  /** @returns what was thrown, too */
  async #outcomeOf(call: HeldCall, { container }: Member): Promise<HarnessOutcome | Error> {
    if (container === undefined) throw new TypeError("a container that has room is there");
    try {
      const body = await this.#options.values.read(call.input);
      call.startedAt = Date.now();
      const ended = this.#options.started.soon({ id: call.id, container: container.id });
      return await container.call({ call: call.id, method: call.method, type: call.input.type, body }).finally(ended);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
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
    for (const other of member.running) other.verdict ??= "put back";
    this.#crew.kill(member);
  }

  /** What the call came to is recorded, behind its lines. */
  async #end(call: HeldCall, end: Outcome["end"]): Promise<void> {
    const { logs, outcomes, logger } = this.#options;
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
    this.#onForgotten();
  }
}
