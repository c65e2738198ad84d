/** Calls that are not wanted any more. */
import { CALLS_AT_ONCE } from "@lamina/api";
import type { Context } from "../context.ts";
import { overOutages, type Transaction } from "../database/database.ts";
import { enqueue } from "../outbox/messages.ts";
import { endsOf } from "./row.ts";

interface CancelledCall {
  readonly id: string;
  readonly function: string;
  readonly message: string | null;
  /** Whether it went on. */
  readonly wasRunning: boolean;
}

/** Cancels those of these calls that have not ended. @throws {LaminaError} NOT_FOUND for a call that there is not; then none is cancelled */
export async function cancelCalls(
  { callStatements, database, wakeOutbox }: Pick<Context, "callStatements" | "database" | "wakeOutbox">,
  workspace: string,
  ids: readonly string[],
): Promise<void> {
  await endsOf(callStatements, workspace, ids);
  await overOutages(() =>
    database.$transaction(async (transaction) => {
      const calls = await transaction.$queryRaw<CancelledCall[]>`
        WITH open AS (
          SELECT id, state FROM call WHERE id = ANY(${ids}) AND workspace = ${workspace} AND ended_at IS NULL ORDER BY id FOR UPDATE
        )
        UPDATE call c SET state = 'cancelled', ended_at = now(), input = NULL FROM open WHERE c.id = open.id
        RETURNING c.id, c.function_id AS function, c.message, open.state = 'running' AS "wasRunning"`;
      if (calls.length > 0) await enqueue(transaction, { kind: "calls-cancelled", calls: await offTheirQueues(transaction, calls) });
    }),
  );
  wakeOutbox();
}

/**
 * What is to be taken off queues: messages that carry no call any more. One whose place a call has in a container stays for the runner that has
 * it: as long as it is there, no other call goes on in that place.
 */
async function offTheirQueues(transaction: Transaction, calls: readonly CancelledCall[]) {
  const messages = calls.flatMap(({ message }) => message ?? []);
  const functions = calls.map((call) => call.function);
  const stay = new Set<string>();
  if (messages.length > 0) {
    const rows = await transaction.$queryRaw<{ message: string }[]>`
      SELECT DISTINCT message FROM call WHERE function_id = ANY(${functions}) AND ended_at IS NULL AND message = ANY(${messages})`;
    for (const { message } of rows) stay.add(message);
  }
  return calls.map(({ id, function: functionId, message, wasRunning }) => {
    if (message === null) return { id, function: functionId };
    return wasRunning || stay.has(message) ? { id } : { id, function: functionId, message };
  });
}

/** Cancels all calls of functions whose queues are taken away as a whole. */
export async function cancelAllCalls(transaction: Transaction, functions: readonly string[]): Promise<void> {
  const calls = await transaction.$queryRaw<{ id: string }[]>`
    UPDATE call SET state = 'cancelled', ended_at = now(), input = NULL
    WHERE function_id = ANY(${functions}) AND ended_at IS NULL RETURNING id`;
  for (let first = 0; first < calls.length; first += CALLS_AT_ONCE) {
    await enqueue(transaction, { kind: "calls-cancelled", calls: calls.slice(first, first + CALLS_AT_ONCE) });
  }
}
