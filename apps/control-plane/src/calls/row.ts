/** Calls as their rows keep them. */
import { Call, type CallEnd, CallError, type EndedCall, LaminaError, Value } from "@lamina/api";
import { z } from "zod";
import { overOutages } from "../database/database.ts";
import type { Statements } from "../database/statements.ts";
import { Prisma } from "../generated/client.ts";

const EndColumns = z.object({
  state: z.enum(["queued", "running", "done", "failed", "cancelled"]),
  result: Value.nullable(),
  error: CallError.nullable(),
});
type EndColumns = z.infer<typeof EndColumns>;

/** How the call ended; undefined when it has not. */
export function endOf(row: Record<keyof EndColumns, unknown>): CallEnd | undefined {
  const { state, result, error } = EndColumns.parse(row);
  if (state === "done" && result !== null) return { state, result };
  if (state === "failed" && error !== null) return { state, error };
  return state === "cancelled" ? { state } : undefined;
}

/** How those of these calls ended that have. @throws {LaminaError} NOT_FOUND for one that there is not */
export async function endsOf(statements: Statements, workspace: string, ids: readonly string[]): Promise<EndedCall[]> {
  const { ended, missing } = await knownCalls(statements, workspace, ids);
  if (missing.length > 0) throw noCalls(missing);
  return ended;
}

/** NOT_FOUND, for calls that there are not. */
export function noCalls([first, ...others]: readonly string[]): LaminaError {
  const rest = others.length === 0 ? "" : `, nor ${others.length} others that were asked for`;
  const message = `There is no call ${first}${rest}. It may be too old: calls are deleted some days after their end. \`lamina calls\` lists those that there are.`;
  return new LaminaError({ code: "NOT_FOUND", message });
}

interface KnownCalls {
  readonly missing: readonly string[];
  readonly ended: EndedCall[];
}

/** Which of these calls there are not, and how those ended that have. */
export async function knownCalls(statements: Statements, workspace: string, ids: readonly string[]): Promise<KnownCalls> {
  const rows = await overOutages(() =>
    statements.rows<{ id: string; state: string; result: unknown; error: unknown }>(Prisma.sql`
      SELECT id, state::text AS state, result, error FROM call WHERE id = ANY(${ids}) AND workspace = ${workspace}`),
  );
  const ended = rows.flatMap((row) => {
    const end = endOf(row);
    return end === undefined ? [] : [{ id: row.id, end }];
  });
  const there = new Set(rows.map(({ id }) => id));
  return { missing: ids.filter((id) => !there.has(id)), ended };
}

const CallRow = z.object({
  id: z.string(),
  app: z.string(),
  function: z.string(),
  method: z.string().nullable(),
  version: z.int(),
  state: Call.shape.state,
  result: z.unknown(),
  error: z.unknown(),
  retries: z.int(),
  created: z.date(),
  started: z.date().nullable(),
  ended: z.date().nullable(),
});

/** A row of call with the names of its app and its function, as it is told of. */
export function callOf(row: unknown): Call {
  const { method, created, started, ended, result, error, ...call } = CallRow.parse(row);
  return {
    ...call,
    method: method ?? undefined,
    createdAt: created.toISOString(),
    startedAt: started?.toISOString(),
    endedAt: ended?.toISOString(),
    end: endOf({ state: call.state, result, error }),
  };
}
