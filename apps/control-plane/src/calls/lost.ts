/**
 * Calls that were lost on their way to a queue.
 *
 * I1: a runner acknowledges a message only after the end of its call is recorded.
 * I2: so a call that has no message, and after that has not ended, is lost, and is sent again. The order matters: one that ends in between has none either.
 */
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import type { Nats } from "../events/nats.ts";
import { sendEachApart } from "./send.ts";

/** So many calls are looked at in one sweep. */
const LOOKED_AT = 1_000;

interface OpenCall {
  readonly id: string;
  readonly function: string;
  /** That is to carry it. */
  readonly message: string;
  readonly looks: number;
}

/** Looks at calls five seconds after they were started, and ever more rarely as they stay. */
export async function resendLostCalls({ database, nats, logger }: Pick<Context, "database" | "nats" | "logger">): Promise<void> {
  const due = await overOutages(
    () => database.$queryRaw<OpenCall[]>`
      UPDATE call c SET looks = c.looks + 1, look_at = clock_timestamp() + interval '5 seconds' * power(2, least(c.looks, 4))
      FROM (
        SELECT id FROM call WHERE ended_at IS NULL AND look_at < clock_timestamp()
        ORDER BY look_at LIMIT ${LOOKED_AT} FOR UPDATE SKIP LOCKED
      ) due
      WHERE c.id = due.id RETURNING c.id, c.function_id AS function, coalesce(c.message, c.id) AS message, c.looks`,
  );
  const carriers = [...new Map(due.map((call) => [call.message, call])).values()];
  const look = async () => {
    const there = await Promise.all(carriers.map((call) => isQueued(nats, call)));
    return new Set(carriers.filter((_, index) => there[index]).map(({ message }) => message));
  };
  // A NATS that came back empty has no streams.
  const queued = await look().catch(async () => {
    await nats.ensureStreams();
    return look();
  });
  const missing = due.filter(({ message }) => !queued.has(message));
  if (missing.length === 0) return;
  logger.warn({ calls: missing.length }, "calls had no message; those that have not ended are sent again");
  await sendEachApart({ database, nats }, { id: { in: missing.map(({ id }) => id) } });
}

async function isQueued({ manager, catalogue }: Nats, { message, function: functionId }: OpenCall): Promise<boolean> {
  const subject = catalogue.calls.subject(functionId, message);
  const { state } = await manager.streams.info(catalogue.calls.stream, { subjects_filter: subject });
  return (state.subjects?.[subject] ?? 0) > 0;
}
