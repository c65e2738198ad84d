/**
 * Recording how calls ended, in batches as runners tell them.
 *
 * I1: the first end that is recorded stays.
 * I2: a failure that is tried again is counted once for each delivery: `failed_delivery` is the last one that counted, so what is told twice,
 *     or by a delivery that was overtaken, counts nothing, and is answered all the same.
 */
import { type CallEnd, EndedCall, type FinishCallsInput, type FinishedCalls, RetryPolicy } from "@lamina/api";
import { z } from "zod";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import type { Statements } from "../database/statements.ts";
import { Prisma } from "../generated/client.ts";
import type { Paces } from "./paces.ts";

type Outcome = FinishCallsInput["calls"][number];
type FinishContext = Pick<Context, "callStatements" | "nats" | "callWaiters" | "paces">;

export async function finishCalls(context: FinishContext, workspace: string, calls: readonly Outcome[]): Promise<FinishedCalls> {
  const { callStatements, nats, callWaiters, paces } = context;
  const answers: FinishedCalls = [];
  for (const round of rounds(calls)) {
    const changed = await recordEnds(callStatements, workspace, round);
    const ended = round.filter(({ id }) => changed.get(id)?.ended === true).map(({ id, end }): EndedCall => ({ id, end }));
    if (ended.length > 0) {
      callWaiters.tell(workspace, ended);
      nats.connection.publish(nats.catalogue.callsEnded, JSON.stringify(ended.map(({ id }) => id)));
    }
    learnPaces(paces, round, changed);
    answers.push(...round.map(({ id }) => ({ id, retryAfterMs: changed.get(id)?.retryAfterMs })));
  }
  return answers;
}

function learnPaces(paces: Paces, calls: readonly Outcome[], changed: ReadonlyMap<string, Changed>): void {
  const took = calls.flatMap(({ id, tookMs }) => {
    const call = changed.get(id);
    return call === undefined || tookMs === undefined ? [] : [{ ...call, tookMs }];
  });
  for (const ofOne of Map.groupBy(took, ({ functionId, method }) => `${functionId} ${method ?? ""}`).values()) {
    const [first] = ofOne;
    const milliseconds = ofOne.map(({ tookMs }) => tookMs);
    if (first !== undefined) paces.took(first.functionId, first.method, milliseconds);
  }
}

/** One statement changes a row once, so each call is in a round once: almost always there is one round. */
function rounds(calls: readonly Outcome[]): Outcome[][] {
  const made: Outcome[][] = [];
  const seen = new Map<string, number>();
  for (const call of calls) {
    const round = seen.get(call.id) ?? 0;
    seen.set(call.id, round + 1);
    (made[round] ??= []).push(call);
  }
  return made;
}

/** What became of a call that had not ended. */
interface Changed {
  readonly functionId: string;
  readonly method: string | undefined;
  readonly ended: boolean;
  readonly retryAfterMs: number | undefined;
}

const ChangedRow = z.object({
  id: z.string(),
  functionId: z.string(),
  method: z.string().nullable(),
  ended: z.boolean(),
  retries: z.int(),
  policy: RetryPolicy.nullable(),
});

async function recordEnds(statements: Statements, workspace: string, calls: readonly Outcome[]): Promise<Map<string, Changed>> {
  const column = <T>(of: (call: Outcome) => T): T[] => calls.map(of);
  const counted = Prisma.sql`t.delivery <= c.failed_delivery`;
  // Said so that Postgres guesses nothing from it: it would take the open calls for a handful, and read them all for each that ends.
  const isOpen = Prisma.sql`CASE WHEN c.ended_at IS NULL THEN TRUE ELSE FALSE END`;
  const again = Prisma.sql`(t.retriable AND (${counted} OR c.retries < f.max_retries))`;
  const rows = await overOutages(() =>
    statements.rows(Prisma.sql`
      UPDATE call c SET
        state = CASE WHEN NOT ${again} THEN t.state::call_state WHEN ${counted} THEN c.state ELSE 'queued' END,
        retries = CASE WHEN ${again} AND NOT ${counted} THEN c.retries + 1 ELSE c.retries END,
        failed_delivery = CASE WHEN t.state = 'failed' THEN greatest(c.failed_delivery, t.delivery) ELSE c.failed_delivery END,
        result = t.result::json,
        error = CASE WHEN ${again} THEN NULL ELSE t.error::json END,
        input = CASE WHEN ${again} THEN c.input END,
        started_at = coalesce(to_timestamp(t.started / 1000), c.started_at),
        ended_at = CASE WHEN ${again} THEN NULL ELSE now() END
      FROM unnest(
        ${column(({ id }) => id)}::text[], ${column(({ delivery }) => delivery)}::int[], ${column(({ startedAt }) => startedAt ?? null)}::float8[],
        ${column(({ end }) => end.state)}::text[], ${column(({ end }) => isRetriable(end))}::bool[],
        ${column(({ end }) => (end.state === "done" ? JSON.stringify(end.result) : null))}::text[],
        ${column(({ end }) => (end.state === "failed" ? JSON.stringify(end.error) : null))}::text[]
      ) AS t (id, delivery, started, state, retriable, result, error), function_version f
      WHERE c.id = t.id AND c.workspace = ${workspace} AND ${isOpen} AND f.id = c.function_id
      RETURNING c.id, c.function_id AS "functionId", c.method, c.ended_at IS NOT NULL AS ended, c.retries, CASE WHEN c.ended_at IS NULL THEN f.spec->'retries' END AS policy`),
  );
  return new Map(
    rows.map((row) => {
      const { id, functionId, method, ended, retries, policy } = ChangedRow.parse(row);
      return [
        id,
        {
          functionId,
          method: method ?? undefined,
          ended,
          retryAfterMs: ended || policy === null ? undefined : retryDelay(policy, retries),
        },
      ];
    }),
  );
}

/** What can never succeed is not tried again. */
function isRetriable(end: CallEnd): boolean {
  return end.state === "failed" && end.error.code !== "VALUE_UNREADABLE" && end.error.code !== "CANCELLED";
}

/** @param retry counted from 1 */
export function retryDelay({ delayMs, factor, longestDelayMs }: RetryPolicy, retry: number): number {
  return Math.min(Math.round(delayMs * factor ** (retry - 1)), longestDelayMs);
}
