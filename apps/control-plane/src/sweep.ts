/**
 * The sweep finds what was lost on the way: leases that ran out, jobs and calls whose message is gone, messages of
 * the outbox that nobody sent; and ends what nobody wants any more: ephemeral apps, and replaced functions without calls; and deletes calls and ephemeral apps that ended long ago. Any number of control planes sweep at once; each finding is taken under
 * the workspace's lock, and one that cannot be dealt with does not hold up the others.
 */
import { EPHEMERAL_SECONDS } from "@lamina/api";
import { setTimeout as delay } from "node:timers/promises";
import { stopUnwanted } from "./apps/stop.ts";
import { endAttempt } from "./attempts/ended.ts";
import { resendLostCalls } from "./calls/lost.ts";
import { deleteOldApps, deleteOldCalls } from "./calls/old.ts";
import type { Context } from "./context.ts";
import { inWorkspace } from "./database/database.ts";
import { stopDrained } from "./functions/stop.ts";
import { enqueue } from "./outbox/messages.ts";
import { endRun } from "./runs/end.ts";

type SweepContext = Pick<
  Context,
  "config" | "database" | "logger" | "nats" | "repositories" | "targets" | "unrecordedCalls" | "wakeOutbox"
>;

const SWEEP_MS = 1_000;

/** Sweeps every second until the signal. Resolves when the last sweep has ended. */
export async function sweepUntil(context: SweepContext, signal: AbortSignal): Promise<void> {
  const drained = new Set<string>();
  while (!signal.aborted) {
    await attempting(context, "leases of attempts", () => expireAttempts(context));
    await attempting(context, "leases of runs", () => expireRuns(context));
    await attempting(context, "jobs", () => resendJobs(context));
    await attempting(context, "calls", () => resendLostCalls(context));
    await attempting(context, "replaced functions", () => stopDrained(context.database, drained));
    await attempting(context, "ephemeral apps", () => stopUnwanted(context, EPHEMERAL_SECONDS));
    await attempting(context, "old calls", () => deleteOldCalls(context));
    await attempting(context, "old ephemeral apps", () => deleteOldApps(context));
    context.wakeOutbox();
    await delay(SWEEP_MS, undefined, { signal }).catch(() => {});
  }
}

/** What fails is found again by the next sweep. */
async function attempting({ logger }: SweepContext, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    logger.warn({ err: error, what }, "the sweep failed; the next one tries again");
  }
}

interface Found {
  readonly id: string;
  readonly workspace: string;
}

async function expireAttempts(context: SweepContext): Promise<void> {
  const { database, logger } = context;
  const late = await database.$queryRaw<Found[]>`
    SELECT id, workspace FROM attempt WHERE state = 'running' AND lease_until < clock_timestamp()`;
  const expire = ({ id, workspace }: Found) =>
    inWorkspace(database, workspace, async (transaction) => {
      const still = await transaction.$queryRaw<Found[]>`
        SELECT id FROM attempt WHERE id = ${id} AND state = 'running' AND lease_until < clock_timestamp() FOR UPDATE`;
      if (still.length === 0) return;
      logger.warn({ attempt: id }, "the lease of an attempt ran out");
      await endAttempt(context, transaction, { id, outcome: { state: "expired" } });
    });
  for (const attempt of late) await attempting(context, `attempt ${attempt.id}`, () => expire(attempt));
}

async function expireRuns(context: SweepContext): Promise<void> {
  const { database, logger } = context;
  const late = await database.$queryRaw<Found[]>`
    SELECT id, workspace FROM run WHERE state = 'running' AND lease_until < clock_timestamp()`;
  const expire = ({ id, workspace }: Found) =>
    inWorkspace(database, workspace, async (transaction) => {
      const still = await transaction.$queryRaw<Found[]>`
        SELECT id FROM run WHERE id = ${id} AND state = 'running' AND lease_until < clock_timestamp() FOR UPDATE`;
      if (still.length === 0) return;
      logger.warn({ run: id }, "the lease of a run ran out");
      await endRun(transaction, id, { state: "expired" });
    });
  for (const run of late) await attempting(context, `run ${run.id}`, () => expire(run));
}

/**
 * Sends the jobs of what is still queued again, after a minute at first: a worker that finds nothing to claim is done
 * with a job, so one too many does no harm. Where no worker takes them, they come ever more rarely.
 */
async function resendJobs({ database }: SweepContext): Promise<void> {
  await database.$transaction(async (transaction) => {
    const attempts = await transaction.$queryRaw<{ id: string; pool: string }[]>`
      UPDATE attempt SET job_sent_at = clock_timestamp(), job_sends = job_sends + 1
      WHERE state = 'queued' AND job_sent_at < clock_timestamp() - interval '1 minute' * power(2, least(job_sends - 1, 6))
      RETURNING id, pool`;
    const runs = await transaction.$queryRaw<{ id: string; pool: string }[]>`
      UPDATE run SET job_sent_at = clock_timestamp(), job_sends = job_sends + 1
      WHERE state = 'queued' AND job_sent_at < clock_timestamp() - interval '1 minute' * power(2, least(job_sends - 1, 6))
      RETURNING id, pool`;
    if (attempts.length + runs.length === 0) return;
    await enqueue(
      transaction,
      ...attempts.map(({ id, pool }) => ({ kind: "job" as const, pool, job: { kind: "build" as const, attempt: id } })),
      ...runs.map(({ id, pool }) => ({ kind: "job" as const, pool, job: { kind: "run" as const, run: id } })),
    );
  });
}
