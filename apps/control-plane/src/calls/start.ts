/**
 * Starting calls: one whose caller waits goes directly to a container, where one is free (direct.ts). Others are recorded by one statement, and
 * put on their function's queue right after, past the outbox, since that takes too long. What dies in between is found by the sweep (lost.ts).
 */
import { type EndedCall, LaminaError, type StartCallsInput } from "@lamina/api";
import type { z } from "zod";
import { noFunction } from "../apps/find.ts";
import { overOutages } from "../database/database.ts";
import type { Statements } from "../database/statements.ts";
import { Prisma } from "../generated/client.ts";
import { callDirectly, type DirectContext } from "./direct.ts";
import { messagesFor, newOf, type QueueMessage } from "./messages.ts";
import { knownCalls } from "./row.ts";
import { sendCalls } from "./send.ts";
import type { Target } from "./targets.ts";

type Start = z.output<typeof StartCallsInput>;

export async function startCalls(context: DirectContext, workspace: string, asked: Start): Promise<EndedCall[]> {
  const { unrecordedCalls } = context;
  // Who names a call twice means one, and who names one that goes on asks again.
  const calls = [...new Map(asked.calls.map((call) => [call.id, call])).values()];
  const again = asked.again === true || calls.some(({ id }) => unrecordedCalls.has(id));
  const start: Start = { ...asked, calls, again };
  // No second one is to begin.
  if (again) await unrecordedCalls.recorded(calls.map(({ id }) => id));
  const queue = async (some: Start["calls"]) =>
    void (await queueCalls(context, workspace, { ...start, calls: some, waitMs: 0, gatherMs: 0 }));
  return (await callDirectly(context, { workspace, start, queue })) ?? (await queueCalls(context, workspace, start));
}

async function queueCalls(context: DirectContext, workspace: string, start: Start): Promise<EndedCall[]> {
  const { callStatements, callWaiters, paces, targets } = context;
  using waiting = callWaiters.waitFor(
    workspace,
    start.calls.map(({ id }) => id),
  );
  const messages = messagesFor(start.calls, paces.together(targets.find(workspace, start)?.functionId, start));
  const found = targets.looking(workspace, start);
  const { functionId, version, inserted } = await recordCalls(context, workspace, { ...start, messages });
  found({ functionId, version });
  const sent = sendAll(context, functionId, { method: start.method, messages: newOf(messages, inserted) });
  // A runner does not wait for NATS to say that it has the message, so who waits for the end need not either.
  if (start.waitMs === 0) await sent;
  const others = start.calls.map(({ id }) => id).filter((id) => !inserted.has(id));
  if (others.length > 0) waiting.found((await knownCalls(callStatements, workspace, others)).ended);
  // Waited for here: the waiting ends with this block.
  return await waiting.ends({ forFirst: start.waitMs, forOthers: start.gatherMs ?? start.waitMs });
}

interface Starting extends Start {
  readonly messages: readonly QueueMessage[];
}

interface RecordedCalls extends Target {
  /** The calls that were not there. */
  readonly inserted: ReadonlySet<string>;
}

/** @throws {LaminaError} NOT_FOUND, INVALID_INPUT */
async function recordCalls({ callStatements, database }: DirectContext, workspace: string, start: Starting): Promise<RecordedCalls> {
  const insert = () => insertCalls(callStatements, workspace, start);
  // A version that was stopped between the statement's snapshot and its lock is none; a new look finds the one in its place.
  const target = (await insert()) ?? (await insert());
  if (target === undefined) throw await noFunction(database, workspace, start);
  if (!target.callable) throw wrongMethod(start, target.methods);
  return { functionId: target.function, version: target.version, inserted: new Set(target.inserted) };
}

interface TargetRow {
  readonly function: string;
  readonly version: number;
  readonly methods: readonly string[] | null;
  readonly callable: boolean;
  readonly inserted: readonly string[];
}

/** The version's row is held against those who stop it, so that no call is left behind on a queue that is taken away. */
async function insertCalls(statements: Statements, workspace: string, start: Starting): Promise<TargetRow | undefined> {
  const { app, function: name, method = null, messages } = start;
  const rows = messages.flatMap(({ id: message, calls }) => calls.map(({ id, input }) => ({ id, input, message })));
  const ids = rows.map(({ id }) => id);
  const inputs = rows.map(({ input }) => JSON.stringify(input));
  const carriers = rows.map(({ id, message }) => (message === id ? null : message));
  const [target] = await overOutages(() =>
    statements.rows<TargetRow>(Prisma.sql`
      WITH target AS (
        SELECT f.id, a.version, f.spec->'methods' AS methods,
          coalesce(f.spec->'methods' @> to_jsonb(${method}::text), f.spec->'methods' IS NULL AND ${method}::text IS NULL) AS callable
        FROM app a JOIN function_version f ON f.app_id = a.id AND f.name = ${name} AND f.state = 'active'
        WHERE a.workspace = ${workspace} AND a.found_by = ${app}
        FOR KEY SHARE OF f
      ), inserted AS (
        INSERT INTO call (id, workspace, function_id, version, method, input, message)
        SELECT c.id, ${workspace}, target.id, target.version, ${method}, c.input::json, c.message
        FROM target, unnest(${ids}::text[], ${inputs}::text[], ${carriers}::text[]) AS c (id, input, message)
        WHERE target.callable
        ON CONFLICT (id) DO NOTHING
        RETURNING id
      )
      SELECT target.id AS function, version, methods, callable, ARRAY(SELECT id FROM inserted) AS inserted FROM target`),
  );
  return target;
}

async function sendAll(
  { nats, logger }: DirectContext,
  functionId: string,
  { method, messages }: Pick<Starting, "method" | "messages">,
): Promise<void> {
  const results = await Promise.allSettled(
    messages.map(({ id, calls }) => sendCalls(nats, { function: functionId, id, message: { method, calls: [...calls] }, sendId: id })),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) logger.warn({ err: failed.reason, function: functionId }, "calls could not be sent; the sweep sends them");
}

function wrongMethod({ function: name, method }: Start, methods: readonly string[] | null): LaminaError {
  const isA = methods === null ? `${name} is a function, and has no methods` : `${name} is a class with the methods ${methods.join(", ")}`;
  const asked = method === undefined ? "no method was named" : `${method} was asked for`;
  return new LaminaError({ code: "INVALID_INPUT", message: `${isA}; ${asked}.` });
}
