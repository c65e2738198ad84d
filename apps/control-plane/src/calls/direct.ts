/**
 * Calls past the queue: calls whose caller waits go over the lines of runners that have permits for them, as far as the containers that are there
 * do them in a moment. Meanwhile their caller is what keeps them: who gets no answer asks again under the same ids. Those that take
 * longer are recorded while they go on, and are from then on calls like any other, carried by the messages of their permits.
 *
 * I1: the end of a call is told to its caller at once, and recorded right after that. A process that dies in between leaves no record of a
 *     call whose caller has its end. Whoever else asks for such a call is answered when it is recorded.
 * I2: calls that are given back, or whose line is lost, go to the queue, unless they have been recorded, and their runner or its message sees to it.
 */
import type { EndedCall, StartCallsInput } from "@lamina/api";
import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import type { Statements } from "../database/statements.ts";
import { Prisma } from "../generated/client.ts";
import { finishCalls } from "./finish.ts";
import type { Given, Outcome } from "./lines.ts";
import { messagesFor } from "./messages.ts";
import { sendEachApart } from "./send.ts";
import type { Target } from "./targets.ts";

type Start = z.output<typeof StartCallsInput>;
type StartedCall = Start["calls"][number];

export type DirectContext = Pick<
  Context,
  "callStatements" | "callWaiters" | "database" | "lines" | "logger" | "nats" | "paces" | "targets" | "toldEnds" | "unrecordedCalls"
>;

/** What the containers that are there would do for longer goes to the queue, from which others may be started for it. */
const DIRECT_MS = 500;
/** So long calls may go on before they are recorded. */
const UNRECORDED_MS = 250;
const FINISH_AGAIN_MS = 1_000;

/**
 * The ends of calls, as far as they come in the time to wait; undefined where they are all to go to the queue.
 * @param queue puts calls on the queue after all
 */
export function callDirectly(
  context: DirectContext,
  {
    workspace,
    start,
    queue,
  }: { readonly workspace: string; readonly start: Start; readonly queue: (calls: StartedCall[]) => Promise<void> },
): Promise<EndedCall[]> | undefined {
  const { lines, paces, targets, toldEnds } = context;
  const { calls, method, waitMs, gatherMs = waitMs } = start;
  // What was asked for before may have ended, which is to be looked up.
  if (waitMs === 0 || start.again === true || toldEnds.isFull) return undefined;
  const target = targets.find(workspace, start);
  const free = target === undefined ? 0 : lines.free(workspace, target.functionId);
  if (target === undefined || free === 0) return undefined;
  if (calls.length > 1 && calls.length * (paces.of(target.functionId, method) ?? DIRECT_MS) > DIRECT_MS * free) return undefined;
  const parts = messagesFor(calls, paces.together(target.functionId, start)).map((message) => message.calls);
  const direct = new DirectCalls(context, { workspace, method, target, queue });
  return direct.run(parts, { forFirst: waitMs, forOthers: gatherMs });
}

interface Called {
  readonly workspace: string;
  readonly method: string | undefined;
  readonly target: Target;
  readonly queue: (calls: StartedCall[]) => Promise<void>;
}

/**
 * The calls of one request, in a state that they share: at first they are known here alone; while they are being recorded, what comes of them waits;
 * from then on it is told of as that of any call.
 */
class DirectCalls {
  readonly #context: DirectContext;
  readonly #called: Called;
  readonly #createdAt = Date.now();
  #state: "unrecorded" | "recording" | "recorded" = "unrecorded";
  /** Those that have not ended and are not recorded. */
  readonly #open = new Map<string, StartedCall>();
  /** The parts that no runner has. */
  #parts: (readonly StartedCall[])[] = [];
  readonly #given = new Map<Given, readonly StartedCall[]>();
  #recording: Promise<void> = Promise.resolve();
  #meanwhile: (() => void)[] = [];
  /** What is being put on the queue. */
  readonly #queueing = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  readonly #failed = Promise.withResolvers<never>();

  constructor(context: DirectContext, called: Called) {
    this.#context = context;
    this.#called = called;
    this.#failed.promise.catch(() => undefined);
  }

  async run(
    parts: readonly (readonly StartedCall[])[],
    patience: { readonly forFirst: number; readonly forOthers: number },
  ): Promise<EndedCall[]> {
    const { callWaiters, unrecordedCalls } = this.#context;
    for (const call of parts.flat()) this.#open.set(call.id, call);
    const ids = [...this.#open.keys()];
    using waiting = callWaiters.waitFor(this.#called.workspace, ids);
    unrecordedCalls.add(ids, () => this.#record());
    this.#parts = [...parts];
    this.#recordLater();
    this.#give();
    const ended = await Promise.race([waiting.ends(patience), this.#failed.promise]);
    // Who is answered may ask after those that go on, and another process at that.
    if (this.#open.size > 0) await this.#record();
    return ended;
  }

  /** Gives parts to the runners that have permits; what nobody takes goes to the queue. */
  #give(): void {
    const { lines } = this.#context;
    const { method, target } = this.#called;
    if (this.#state !== "unrecorded") return;
    for (let [part] = this.#parts; part !== undefined; [part] = this.#parts) {
      const calls = part;
      const given = lines.give(
        target.functionId,
        { method, calls: [...calls] },
        {
          onEnded: (outcomes) => this.#ended(outcomes),
          onBack: (ids) => this.#back(ids),
          onLost: () => this.#lost(calls),
        },
      );
      if (given === undefined) break;
      this.#parts.shift();
      this.#given.set(given, calls);
    }
    if (this.#parts.length > 0 && !this.#isUnderWay()) this.#toQueue(this.#parts.splice(0).flat());
  }

  #isUnderWay(): boolean {
    for (const calls of this.#given.values()) if (calls.some(({ id }) => this.#open.has(id))) return true;
    return false;
  }

  #ended(outcomes: readonly Outcome[]): void {
    const { callWaiters, paces, toldEnds } = this.#context;
    const { workspace, method, target } = this.#called;
    if (this.#state === "recording") return void this.#meanwhile.push(() => this.#ended(outcomes));
    if (this.#state === "recorded") return void this.#finish(outcomes);
    const ended = outcomes.filter(({ id }) => this.#open.has(id));
    for (const { id, startedAt = this.#createdAt, end } of ended) {
      toldEnds.record({ id, workspace, ...target, method, end, createdAt: this.#createdAt, startedAt });
    }
    const took = ended.flatMap(({ tookMs }) => tookMs ?? []);
    if (took.length > 0) paces.took(target.functionId, method, took);
    callWaiters.tell(
      workspace,
      ended.map(({ id, end }) => ({ id, end })),
    );
    this.#forget(ended.map(({ id }) => id));
    this.#give();
  }

  /** Nobody else will tell it again. */
  async #finish(outcomes: readonly Outcome[]): Promise<void> {
    for (;;) {
      try {
        await finishCalls(this.#context, this.#called.workspace, outcomes);
        return;
      } catch (error) {
        this.#context.logger.warn({ err: error, calls: outcomes.length }, "the ends of calls cannot be recorded yet");
        await delay(FINISH_AGAIN_MS, undefined, { ref: false });
      }
    }
  }

  #back(ids: readonly string[]): void {
    const { database, logger, nats } = this.#context;
    const { workspace } = this.#called;
    if (this.#state === "recording") return void this.#meanwhile.push(() => this.#back(ids));
    if (this.#state === "unrecorded") {
      this.#toQueue(ids.flatMap((id) => this.#open.get(id) ?? []));
      return this.#give();
    }
    sendEachApart({ database, nats }, { id: { in: [...ids] }, workspace }).catch((error: unknown) =>
      logger.warn({ err: error, calls: ids.length }, "calls that were given back cannot be sent; they come again with their permit"),
    );
  }

  #lost(calls: readonly StartedCall[]): void {
    if (this.#state === "recording") return void this.#meanwhile.push(() => this.#lost(calls));
    // What is recorded comes again with its permit.
    if (this.#state === "unrecorded") this.#back(calls.map(({ id }) => id));
  }

  #toQueue(calls: readonly StartedCall[]): void {
    if (calls.length === 0) return;
    const ids = calls.map(({ id }) => id);
    for (const id of ids) this.#open.delete(id);
    const queueing = this.#called
      .queue([...calls])
      .catch((error: unknown) => this.#failed.reject(error))
      .finally(() => {
        this.#queueing.delete(queueing);
        this.#forget(ids);
      });
    this.#queueing.add(queueing);
  }

  /** They have ended, or are recorded. */
  #forget(ids: readonly string[]): void {
    for (const id of ids) this.#open.delete(id);
    this.#context.unrecordedCalls.delete(ids);
    if (this.#open.size === 0) clearTimeout(this.#timer);
  }

  #recordLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#record().catch((error: unknown) => this.#context.logger.warn({ err: error }, "calls that go on cannot be recorded yet"));
    }, UNRECORDED_MS);
  }

  async #record(): Promise<void> {
    if (this.#state === "unrecorded") this.#recording = this.#recordRunning();
    await this.#recording;
    await Promise.all(this.#queueing);
  }

  /** Records what runners have, and puts what they have not on the queue. */
  async #recordRunning(): Promise<void> {
    this.#toQueue(this.#parts.splice(0).flat());
    const running = [...this.#given].flatMap(([given, calls]) =>
      calls.filter(({ id }) => this.#open.has(id)).map((call) => ({ ...call, permit: given.permit })),
    );
    if (running.length === 0) return;
    this.#state = "recording";
    let isThere = false;
    try {
      isThere = await recordRunning(this.#context.callStatements, { ...this.#called, createdAt: this.#createdAt, running });
    } finally {
      // Of a function that was stopped the runners give back what they have.
      this.#state = isThere ? "recorded" : "unrecorded";
      if (isThere) this.#keep();
      else this.#recordLater();
      for (const event of this.#meanwhile.splice(0)) event();
    }
  }

  #keep(): void {
    for (const [given, calls] of this.#given) if (calls.some(({ id }) => this.#open.has(id))) given.kept();
    this.#forget([...this.#open.keys()]);
  }
}

interface RunningCalls extends Omit<Called, "queue"> {
  readonly createdAt: number;
  readonly running: readonly (StartedCall & { readonly permit: string })[];
}

/** @returns whether their function is there still */
async function recordRunning(statements: Statements, { workspace, method, target, createdAt, running }: RunningCalls): Promise<boolean> {
  const column = <T>(of: (call: RunningCalls["running"][number]) => T): T[] => running.map(of);
  // The version's row is held against those who stop it, as where a call is put on a queue.
  const rows = await overOutages(() =>
    statements.rows(Prisma.sql`
      WITH target AS (SELECT id FROM function_version WHERE id = ${target.functionId} AND state <> 'stopped' FOR KEY SHARE), inserted AS (
        INSERT INTO call (id, workspace, function_id, version, method, state, input, message, created_at, started_at)
        SELECT t.id, ${workspace}, target.id, ${target.version}, ${method ?? null}, 'running', t.input::json, t.permit,
          to_timestamp(${createdAt}::float8 / 1000), to_timestamp(${createdAt}::float8 / 1000)
        FROM target, unnest(
          ${column(({ id }) => id)}::text[], ${column(({ input }) => JSON.stringify(input))}::text[], ${column(({ permit }) => permit)}::text[]
        ) AS t (id, input, permit)
        ON CONFLICT (id) DO NOTHING
      )
      SELECT id FROM target`),
  );
  return rows.length > 0;
}
