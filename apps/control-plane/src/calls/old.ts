/**
 * Calls that ended so long ago that nobody asks for them any more, and what was theirs alone.
 *
 * Their values are gone by then: the object store keeps them for a day, and calls are kept for one at least. Lines of logs go with the age of their stream.
 */
import type { Context } from "../context.ts";
import { type Database, overOutages } from "../database/database.ts";

type OldContext = Pick<Context, "config" | "database" | "logger">;

/** So many rows go in one statement, which holds their locks no longer than a moment. */
const AT_ONCE = 1_000;
/** The sweep has other things to do; the next one goes on. */
const STATEMENTS = 10;

/** Deletes calls that ended longer ago than calls are kept, the oldest first. */
export async function deleteOldCalls({ config, database, logger }: OldContext): Promise<void> {
  const deleted = await inBatches(
    () => database.$executeRaw`
      DELETE FROM call WHERE id IN (
        SELECT id FROM call WHERE ended_at < now() - make_interval(days => ${config.callsKeptDays}::int)
        ORDER BY ended_at LIMIT ${AT_ONCE} FOR UPDATE SKIP LOCKED
      )`,
  );
  if (deleted > 0) logger.info({ calls: deleted }, "deleted calls that ended long ago");
}

/**
 * Deletes ephemeral apps that ended as long ago and whose calls are gone, with their versions and functions. Who deploys one again, which
 * begins with a change of its row, either has it as it was or makes it anew.
 */
export async function deleteOldApps({ config, database, logger }: OldContext): Promise<void> {
  const deleted = await inBatches(
    () => database.$executeRaw`
      DELETE FROM app WHERE id IN (
        SELECT id FROM app a
        WHERE ephemeral AND state = 'stopped' AND heard_at < now() - make_interval(days => ${config.callsKeptDays}::int)
          AND NOT EXISTS (
            -- One call a function is looked for by its index: a join might read all calls there are.
            SELECT FROM function_version f CROSS JOIN LATERAL (SELECT FROM call WHERE function_id = f.id LIMIT 1) c WHERE f.app_id = a.id
          )
        LIMIT ${AT_ONCE} FOR UPDATE SKIP LOCKED
      )`,
  );
  if (deleted > 0) logger.info({ apps: deleted }, "deleted ephemeral apps that ended long ago");
}

async function inBatches(deleteBatch: () => ReturnType<Database["$executeRaw"]>): Promise<number> {
  let deleted = 0;
  for (let statement = 1; statement <= STATEMENTS; statement += 1) {
    const rows = await overOutages(deleteBatch);
    deleted += rows;
    if (rows < AT_ONCE) break;
  }
  return deleted;
}
