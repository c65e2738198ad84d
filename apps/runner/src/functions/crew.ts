/**
 * The containers of one version of a function: how many there are, and which one has room.
 *
 * I1: a container that is to go is given no call any more.
 * I2: GPUs belong to a container from before its start until after its end.
 */
import type { ServedFunction } from "@lamina/api";
import type { Logger } from "@lamina/service";
import type { Container } from "./container.ts";
import { isPassing, SetUpTooLong } from "./ends.ts";
import type { Gpus } from "./gpus.ts";
import type { HeldCall } from "./held-call.ts";
import { launch, type LaunchContext } from "./launch.ts";
import type { LogWriter } from "./logs.ts";

/** A container that is there, or will be, and what goes on in it. */
export interface Member {
  container: Container | undefined;
  readonly devices: readonly string[];
  /** One that is leaving is given no call any more, and ends when nobody wants what goes on in it. */
  state: "starting" | "ready" | "leaving" | "going";
  /** It was ended for a reason that is not its own. */
  isKilled: boolean;
  readonly running: Set<HeldCall>;
  idle: NodeJS.Timeout | undefined;
  /** Resolves when it is no more. */
  gone: Promise<void>;
}

export interface CrewOptions extends LaunchContext {
  readonly served: () => ServedFunction;
  readonly logs: LogWriter;
  readonly gpus: Gpus;
  readonly logger: Logger;
  /** There are no GPUs left for a container that calls wait for. */
  readonly onGpusWanted: () => void;
  /** There may be room, or another container may be started. */
  readonly onChange: () => void;
  /** No container can be started, and none is there. */
  readonly onBroken: (reason: unknown) => void;
}

const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;
/** At least so long may a container take to get ready. */
const SET_UP_SECONDS = 300;
/** A version that was replaced keeps containers only as long as calls follow each other. */
const DRAINING_IDLE_MS = 1_000;

export class Crew {
  readonly #options: CrewOptions;
  readonly #members = new Set<Member>();
  #backoffMs = 0;
  #backoff: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  get #served(): ServedFunction {
    return this.#options.served();
  }

  /** The fullest container that has room, so that others become idle. */
  withRoom(): Member | undefined {
    let best: Member | undefined;
    for (const member of this.#members) {
      const hasRoom = member.state === "ready" && member.running.size < this.#served.concurrency;
      if (hasRoom && (best === undefined || member.running.size > best.running.size)) best = member;
    }
    return best;
  }

  of(call: HeldCall): Member | undefined {
    return [...this.#members].find(({ running }) => running.has(call));
  }

  /** Starts as many containers as are to be there when so many calls wait. */
  grow(waiting: number): void {
    while (this.#wantsAnother(waiting) && this.#start(waiting > 0)) continue;
  }

  /** A call of the container has ended. */
  left(member: Member): void {
    if (member.state === "ready" && member.running.size === 0) this.#rest(member);
    if (member.state === "leaving") this.leave(member);
  }

  /** Gives a container no call any more, in which a cancelled one does not end. */
  leave(member: Member): void {
    if (member.state === "ready") member.state = "leaving";
    if (member.state !== "leaving") return;
    if (member.running.size === 0) this.#retire(member);
    else if ([...member.running].every(({ verdict }) => verdict === "cancelled")) this.kill(member);
  }

  /** What is idle is so under new rules. */
  reconsider(): void {
    for (const member of this.#members) this.left(member);
  }

  /** Ends a container that has nothing to do. @returns whether there was one */
  spare(): boolean {
    const member = [...this.#members].find(({ state, running }) => state === "ready" && running.size === 0);
    if (member !== undefined) this.#retire(member);
    return member !== undefined;
  }

  /** Ends a container with all that goes on in it. One that never gets ready is told of as broken. */
  kill(member: Member): void {
    if (member.state !== "starting") member.state = "going";
    member.isKilled = true;
    member.container?.kill();
  }

  /** Ends those in which something goes on. */
  killBusy(): void {
    for (const member of this.#members) if (member.running.size > 0) this.kill(member);
  }

  /** Lets all containers clean up, as long as the signal allows, and end, and starts none any more. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#backoff);
    for (const member of this.#members) {
      if (member.state === "starting") {
        member.state = "going";
        member.container?.kill();
      } else this.#retire(member);
    }
    const endAll = (): void => {
      for (const { container } of this.#members) container?.kill();
    };
    signal.addEventListener("abort", endAll, { once: true });
    if (signal.aborted) endAll();
    await Promise.all([...this.#members].map(({ gone }) => gone));
    signal.removeEventListener("abort", endAll);
  }

  #wantsAnother(waiting: number): boolean {
    const { minContainers, maxContainers, concurrency, state } = this.#served;
    if (this.#stopping || this.#backoff !== undefined || this.#members.size >= maxContainers) return false;
    const members = [...this.#members];
    const starting = members.filter((member) => member.state === "starting").length;
    if (waiting > starting * concurrency) return true;
    return state === "active" && members.filter(isKept).length < minContainers;
  }

  #start(isWaitedFor: boolean): boolean {
    const { gpus, onGpusWanted, onBroken } = this.#options;
    const { gpus: wanted } = this.#served;
    if (wanted > gpus.count) {
      onBroken(new Error(`it takes ${wanted} GPUs, of which this runner has ${gpus.count}`));
      return false;
    }
    const devices = gpus.take(wanted);
    if (devices === undefined) {
      if (isWaitedFor) onGpusWanted();
      return false;
    }
    const member: Member = {
      container: undefined,
      devices,
      state: "starting",
      isKilled: false,
      running: new Set(),
      idle: undefined,
      gone: Promise.resolve(),
    };
    this.#members.add(member);
    member.gone = this.#live(member);
    return true;
  }

  async #live(member: Member): Promise<void> {
    const { logger, gpus, onChange } = this.#options;
    const reason = await this.#bringUp(member);
    await member.container?.exited;
    clearTimeout(member.idle);
    const wasWanted = member.state !== "going";
    member.state = "going";
    this.#members.delete(member);
    gpus.giveBack(member.devices);
    if (reason !== undefined && wasWanted && !this.#stopping) {
      logger.warn({ err: reason, function: this.#served.name, app: this.#served.appName }, "a container could not be set up");
      this.#backOff(reason);
    }
    onChange();
  }

  /** @returns why it is not ready */
  async #bringUp(member: Member): Promise<unknown> {
    const seconds = Math.max(this.#served.timeoutSeconds, SET_UP_SECONDS);
    let timer: NodeJS.Timeout | undefined;
    let tooLong: SetUpTooLong | undefined;
    try {
      const onStarted = (started: Container): void => {
        member.container = started;
        if (member.state === "going") started.kill();
        clearTimeout(timer);
        timer = setTimeout(() => {
          tooLong = new SetUpTooLong(seconds);
          this.kill(member);
        }, seconds * 1000);
      };
      await launch({ served: this.#served, devices: member.devices, logs: this.#options.logs, onStarted }, this.#options);
      if (member.state === "starting") {
        member.state = "ready";
        this.#backoffMs = 0;
        this.#rest(member);
        this.#options.onChange();
      }
      return undefined;
    } catch (error) {
      return tooLong ?? error;
    } finally {
      clearTimeout(timer);
    }
  }

  #backOff(reason: unknown): void {
    this.#backoffMs = Math.min(this.#backoffMs === 0 ? FIRST_BACKOFF_MS : this.#backoffMs * 2, LONGEST_BACKOFF_MS);
    clearTimeout(this.#backoff);
    this.#backoff = setTimeout(() => {
      this.#backoff = undefined;
      this.#options.onChange();
    }, this.#backoffMs);
    // Where others work, it is not the function.
    if (!isPassing(reason) && ![...this.#members].some(({ state }) => state === "ready")) this.#options.onBroken(reason);
  }

  #rest(member: Member): void {
    clearTimeout(member.idle);
    const { idleSeconds, state } = this.#served;
    const idleMs = state === "draining" ? Math.min(idleSeconds * 1000, DRAINING_IDLE_MS) : idleSeconds * 1000;
    member.idle = setTimeout(() => {
      const { minContainers, state: now } = this.#served;
      const kept = [...this.#members].filter(isKept).length;
      const isIdle = member.state === "ready" && member.running.size === 0;
      if (isIdle && (now === "draining" || kept > minContainers)) this.#retire(member);
    }, idleMs);
    member.idle.unref();
  }

  #retire(member: Member): void {
    if (member.state === "going") return;
    member.state = "going";
    void member.container?.stop();
  }
}

function isKept({ state }: Member): boolean {
  return state === "starting" || state === "ready";
}
