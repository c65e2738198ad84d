/**
 * Calls past the queue: a call whose caller waits goes over the line of a runner that has a permit for it, and is recorded when it has
 * ended. Meanwhile its caller is what keeps it: who gets no answer asks again under the same id. One that takes longer than a moment is
 * recorded while it goes on, and is from then on a call like any other, carried by the message of its permit.
 *
 * I1: nobody is told of an end that is not recorded. What is recorded here is written to disk a moment later: Postgres may lose it when it
 *     is killed, as if the call, whose caller has its end, had never been.
 * I2: a call that is given back, or whose line is lost, goes to the queue, unless it has been recorded, and its runner or its message sees to it.
 */
import type { EndedCall, StartCallsInput } from "@lamina/api";
import type { z } from "zod";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import { Prisma } from "../generated/client.ts";
import { finishCalls } from "./finish.ts";
import type { Given, Outcome } from "./lines.ts";
import { knownCalls } from "./row.ts";
import { sendEachApart } from "./send.ts";
import type { Target } from "./targets.ts";

type Start = z.output<typeof StartCallsInput>;

/** So long a call may go on before it is recorded. */
const UNRECORDED_MS = 20;

/** The calls that go on, and are known to this process alone. */
export interface DirectCalls {
  /** Resolves when those of these calls that are known to this process alone are recorded, which is at once. */
  recorded(ids: readonly string[]): Promise<void>;
  add(id: string, record: () => Promise<void>): void;
  delete(id: string): void;
}

export function createDirectCalls(): DirectCalls {
  const unrecorded = new Map<string, () => Promise<void>>();
  return {
    async recorded(ids) {
      if (unrecorded.size === 0) return;
      const under = ids.map((id) => unrecorded.get(id)).filter((record) => record !== undefined);
      await Promise.all(under.map((record) => record()));
    },
    add: (id, record) => void unrecorded.set(id, record),
    delete: (id) => void unrecorded.delete(id),
  };
}

type DirectContext = Pick<
  Context,
  "callStatements" | "toldStatements" | "callWaiters" | "database" | "directCalls" | "lines" | "logger" | "nats" | "paces" | "targets"
>;

interface Direct {
  readonly workspace: string;
  readonly start: Start;
  readonly call: Start["calls"][number];
  readonly target: Target;
  readonly given: Given;
  readonly createdAt: number;
}

/** The end of the one call, where it comes in time; undefined when it is to go to the queue. */
export async function callDirectly(context: DirectContext, workspace: string, start: Start): Promise<EndedCall[] | undefined> {
  const [call, ...others] = start.calls;
  // What was asked for before may have ended, which is to be looked up.
  if (call === undefined || others.length > 0 || start.waitMs === 0 || start.again) return undefined;
  const target = context.targets.find(workspace, start);
  if (target === undefined) return undefined;
  const given = context.lines.give(workspace, target.functionId, { id: call.id, method: start.method, input: call.input });
  if (given === undefined) return undefined;
  const direct: Direct = { workspace, start, call, target, given, createdAt: Date.now() };

  const { promise: isLong, resolve: record } = Promise.withResolvers<"long">();
  const timer = setTimeout(() => record("long"), UNRECORDED_MS);
  const { promise: recorded, resolve: seeItRecorded } = Promise.withResolvers<void>();
  context.directCalls.add(call.id, () => {
    record("long");
    return recorded;
  });
  try {
    const first = await Promise.race([given.outcome, isLong]);
    if (first !== "long") return await ended(context, direct, first);
    if (!(await recordRunning(context, direct))) return await ended(context, direct, await given.outcome);
  } finally {
    clearTimeout(timer);
    context.directCalls.delete(call.id);
    seeItRecorded();
  }
  return endOfRecorded(context, direct);
}

async function ended(context: DirectContext, direct: Direct, outcome: Outcome | "back" | "lost"): Promise<EndedCall[] | undefined> {
  if (outcome === "back" || outcome === "lost") return undefined;
  const { functionId } = direct.target;
  if (outcome.tookMs !== undefined) context.paces.took(functionId, direct.start.method, [outcome.tookMs]);
  const { isActive, isRecorded } = await recordEnd(context, direct, outcome);
  if (!isActive) context.targets.forget();
  if (isRecorded) return [{ id: outcome.id, end: outcome.end }];
  // It was there, since its caller asks for the second time; or its function is no more.
  const known = await knownCalls(context.callStatements, direct.workspace, [outcome.id]);
  return known.missing.length > 0 ? undefined : known.ended;
}

/** As one of those that are carried by a message. */
async function endOfRecorded(context: DirectContext, { workspace, start, call, given }: Direct): Promise<EndedCall[]> {
  const { callWaiters, callStatements, database, logger, nats } = context;
  using waiting = callWaiters.waitFor(workspace, [call.id]);
  given.kept();
  void (async () => {
    const outcome = await given.outcome;
    if (outcome === "back") await sendEachApart({ database, nats }, { id: call.id, workspace });
    else if (outcome !== "lost") await finishCalls(context, workspace, [outcome]);
  })().catch((error: unknown) =>
    logger.warn({ err: error, call: call.id }, "what became of a call cannot be recorded; it goes on elsewhere"),
  );
  waiting.found((await knownCalls(callStatements, workspace, [call.id])).ended);
  return await waiting.ends({ forFirst: start.waitMs, forOthers: 0 });
}

/** @returns whether its function is there still */
async function recordRunning(
  { callStatements }: DirectContext,
  { workspace, start, call, target, given, createdAt }: Direct,
): Promise<boolean> {
  const { method = null } = start;
  // The version's row is held against those who stop it, as where a call is put on a queue.
  const rows = await overOutages(() =>
    callStatements.rows(Prisma.sql`
      WITH target AS (SELECT id FROM function_version WHERE id = ${target.functionId} AND state <> 'stopped' FOR KEY SHARE), inserted AS (
        INSERT INTO call (id, workspace, function_id, version, method, state, input, message, created_at, started_at)
        SELECT ${call.id}, ${workspace}, id, ${target.version}, ${method}, 'running', ${JSON.stringify(call.input)}::json, ${given.permit},
          to_timestamp(${createdAt}::float8 / 1000), to_timestamp(${createdAt}::float8 / 1000)
        FROM target ON CONFLICT (id) DO NOTHING
      )
      SELECT id FROM target`),
  );
  return rows.length > 0;
}

interface Recorded {
  /** Whether the function version is still what its name stands for. */
  readonly isActive: boolean;
  readonly isRecorded: boolean;
}

async function recordEnd({ toldStatements }: DirectContext, direct: Direct, { id, startedAt, end }: Outcome): Promise<Recorded> {
  const { workspace, start, target, createdAt } = direct;
  const { method = null } = start;
  const result = end.state === "done" ? JSON.stringify(end.result) : null;
  const error = end.state === "failed" ? JSON.stringify(end.error) : null;
  const [row] = await overOutages(() =>
    toldStatements.rows<Recorded>(Prisma.sql`
      WITH target AS (SELECT id, state FROM function_version WHERE id = ${target.functionId}), inserted AS (
        INSERT INTO call (id, workspace, function_id, version, method, state, result, error, created_at, started_at, ended_at)
        SELECT ${id}, ${workspace}, id, ${target.version}, ${method}, ${end.state}::call_state, ${result}::json, ${error}::json,
          to_timestamp(${createdAt}::float8 / 1000), to_timestamp(${startedAt ?? createdAt}::float8 / 1000), now()
        FROM target ON CONFLICT (id) DO NOTHING RETURNING id
      )
      SELECT state = 'active' AS "isActive", EXISTS (SELECT FROM inserted) AS "isRecorded" FROM target`),
  );
  return row ?? { isActive: false, isRecorded: false };
}
