/**
 * Calls past the queue: a call whose caller waits goes over the line of a runner that has a permit for it. Meanwhile its caller is what keeps
 * it: who gets no answer asks again under the same id. One that takes longer than a moment is recorded while it goes on, and is from then on a
 * call like any other, carried by the message of its permit.
 *
 * I1: the end of one that took no longer is told to its caller at once, and recorded right after that. A process that dies in between leaves no
 *     record of a call whose caller has its end. Whoever else asks for such a call is answered when it is recorded.
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

type DirectContext = Pick<
  Context,
  "callStatements" | "callWaiters" | "database" | "unrecordedCalls" | "lines" | "logger" | "nats" | "paces" | "targets" | "toldEnds"
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
  if (call === undefined || others.length > 0 || start.waitMs === 0 || start.again === true || context.toldEnds.isFull) return undefined;
  const target = context.targets.find(workspace, start);
  if (target === undefined) return undefined;
  const given = context.lines.give(workspace, target.functionId, { id: call.id, method: start.method, input: call.input });
  if (given === undefined) return undefined;
  const direct: Direct = { workspace, start, call, target, given, createdAt: Date.now() };

  const { promise: isLong, resolve: record } = Promise.withResolvers<"long">();
  const timer = setTimeout(() => record("long"), UNRECORDED_MS);
  const { promise: recorded, resolve: seeItRecorded } = Promise.withResolvers<void>();
  context.unrecordedCalls.add(call.id, () => {
    record("long");
    return recorded;
  });
  try {
    const first = await Promise.race([given.outcome, isLong]);
    if (first !== "long") return ended(context, direct, first);
    if (!(await recordRunning(context, direct))) return ended(context, direct, await given.outcome);
  } finally {
    clearTimeout(timer);
    context.unrecordedCalls.delete(call.id);
    seeItRecorded();
  }
  return endOfRecorded(context, direct);
}

function ended(
  { paces, toldEnds }: DirectContext,
  { workspace, start, target, createdAt }: Direct,
  outcome: Outcome | "back" | "lost",
): EndedCall[] | undefined {
  if (outcome === "back" || outcome === "lost") return undefined;
  const { id, startedAt = createdAt, tookMs, end } = outcome;
  const { method } = start;
  if (tookMs !== undefined) paces.took(target.functionId, method, [tookMs]);
  toldEnds.record({ id, workspace, ...target, method, end, createdAt, startedAt });
  return [{ id, end }];
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
