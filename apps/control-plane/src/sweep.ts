/**
 * The sweep finds what was lost on the way: leases that ran out, jobs whose message is gone, messages of
 * the outbox that nobody sent. Any number of control planes sweep at once; each finding is taken under
 * the workspace's lock.
 */
import type { Logger } from "@lamina/service";
import { endAttempt } from "./attempts/ended.ts";
import type { Context } from "./context.ts";
import { inWorkspace } from "./database/database.ts";
import { enqueue } from "./outbox/messages.ts";
import { endRun } from "./runs/end.ts";

type SweepContext = Pick<Context, "config" | "database" | "logger" | "repositories" | "wakeOutbox">;

const SWEEP_MS = 1_000;

/** Sweeps every second until the signal. Resolves when the last sweep has ended. */
export async function sweepUntil(context: SweepContext, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sweep(context).catch((error: unknown) => context.logger.warn({ err: error }, "a sweep failed; the next one tries again"));
    await pause(SWEEP_MS, signal);
  }
}

export async function sweep(context: SweepContext): Promise<void> {
  await expireAttempts(context);
  await expireRuns(context);
  await resendJobs(context);
  context.wakeOutbox();
}

interface Found {
  readonly id: string;
  readonly workspace: string;
}

async function expireAttempts(context: SweepContext): Promise<void> {
  const { database, logger } = context;
  const late = await database.$queryRaw<Found[]>`
    SELECT id, workspace FROM attempt WHERE state = 'running' AND lease_until < clock_timestamp()`;
  for (const { id, workspace } of late) {
    await inWorkspace(database, workspace, async (transaction) => {
      const [still] = await transaction.$queryRaw<Found[]>`
        SELECT id, workspace FROM attempt WHERE id = ${id} AND state = 'running' AND lease_until < clock_timestamp() FOR UPDATE`;
      if (still === undefined) return;
      logExpiry(logger, "attempt", id);
      await endAttempt(context, transaction, { id, outcome: { state: "expired" } });
    });
  }
}

async function expireRuns({ database, logger }: SweepContext): Promise<void> {
  const late = await database.$queryRaw<Found[]>`SELECT id, workspace FROM run WHERE state = 'running' AND lease_until < clock_timestamp()`;
  for (const { id, workspace } of late) {
    await inWorkspace(database, workspace, async (transaction) => {
      const [still] = await transaction.$queryRaw<Found[]>`
        SELECT id, workspace FROM run WHERE id = ${id} AND state = 'running' AND lease_until < clock_timestamp() FOR UPDATE`;
      if (still === undefined) return;
      logExpiry(logger, "run", id);
      await endRun(transaction, id, { state: "expired" });
    });
  }
}

/**
 * Sends the jobs of what has been queued for long again, after one minute, two, four and so on: a worker
 * that finds nothing to claim is done with a job, so one too many does no harm.
 */
async function resendJobs({ database }: SweepContext): Promise<void> {
  await database.$transaction(async (transaction) => {
    const attempts = await transaction.$queryRaw<{ id: string; pool: string }[]>`
      UPDATE attempt SET job_sent_at = clock_timestamp(), job_sends = job_sends + 1
      WHERE state = 'queued' AND job_sent_at < clock_timestamp() - make_interval(mins => power(2, least(job_sends, 7) - 1)::int)
      RETURNING id, pool`;
    const runs = await transaction.$queryRaw<{ id: string; pool: string }[]>`
      UPDATE run SET job_sent_at = clock_timestamp(), job_sends = job_sends + 1
      WHERE state = 'queued' AND job_sent_at < clock_timestamp() - make_interval(mins => power(2, least(job_sends, 7) - 1)::int)
      RETURNING id, pool`;
    if (attempts.length + runs.length === 0) return;
    await enqueue(
      transaction,
      ...attempts.map(({ id, pool }) => ({ kind: "job" as const, pool, job: { kind: "build" as const, attempt: id } })),
      ...runs.map(({ id, pool }) => ({ kind: "job" as const, pool, job: { kind: "run" as const, run: id } })),
    );
  });
}

function logExpiry(logger: Logger, what: "attempt" | "run", id: string): void {
  logger.warn({ [what]: id }, `the lease of this ${what} ran out`);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
