/** How a function version ends. */
import { type Database, overOutages, type Queryable, type Transaction } from "../database/database.ts";
import { enqueue } from "../outbox/messages.ts";

/**
 * Locks function versions that have not stopped, against calls that are being started: who starts one holds the version's row shared. What is
 * read after this in the transaction has every call that was ever started of them.
 */
export async function lockFunctions(transaction: Transaction, ids: readonly string[]): Promise<string[]> {
  const rows = await transaction.$queryRaw<{ id: string }[]>`
    SELECT id FROM function_version WHERE id = ANY(${ids}) AND state <> 'stopped' ORDER BY id FOR UPDATE`;
  return rows.map(({ id }) => id);
}

/** Stops function versions that have no calls any more, under {@link lockFunctions}; their values are forgotten, and their queues taken away. */
export async function stopFunctions(transaction: Transaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await transaction.functionVersion.updateMany({ where: { id: { in: [...ids] } }, data: { state: "stopped", sealed: null } });
  await enqueue(transaction, { kind: "functions-changed" }, ...ids.map((id) => ({ kind: "function-stopped" as const, function: id })));
}

/**
 * Stops the replaced function versions whose calls have all ended.
 * @param seen those that had none when it was looked before, which this changes: what goes on past the queue is recorded by the next look
 */
export async function stopDrained(database: Database, seen: Set<string>): Promise<void> {
  const idle = await overOutages(() => withoutCalls(database, undefined));
  const drained = idle.filter((id) => seen.has(id));
  seen.clear();
  for (const id of idle) seen.add(id);
  if (drained.length === 0) return;
  await overOutages(() =>
    database.$transaction(async (transaction) => {
      const locked = await lockFunctions(transaction, drained);
      await stopFunctions(transaction, await withoutCalls(transaction, locked));
    }),
  );
}

async function withoutCalls(database: Queryable, among: readonly string[] | undefined): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT id FROM function_version f
    WHERE state = 'draining' AND (${among === undefined} OR id = ANY(${among ?? []}))
      AND NOT EXISTS (SELECT FROM call c WHERE c.function_id = f.id AND c.ended_at IS NULL)`;
  return rows.map(({ id }) => id);
}
