/** Runs: one command in a throw-away container of an image. A run is started once, and never again. */
import { badInput, CPU_POOL, LaminaError, RunEvent, type RunEvent as Event, type Services, type Tracked } from "@lamina/api";
import { Digest } from "@lamina/ir";
import { v7 as uuid } from "uuid";
import { z } from "zod";
import { leaseLost } from "../attempts/lease.ts";
import type { Context } from "../context.ts";
import { type Database, inWorkspace, overOutages } from "../database/database.ts";
import { enqueue } from "../outbox/messages.ts";
import { endRun } from "./end.ts";
import { findImage } from "./image.ts";

export function createRunsService(context: Context): Services["runs"] {
  const { database, leases, feeds, wakeOutbox } = context;
  const { leaseSeconds } = context.config;
  return {
    async start({ workspace }, { id = uuid(), image, command }) {
      const location = await findImage(context, workspace, image);
      const run = { id, workspace, pool: CPU_POOL, ...location, host: location.host ?? null, command };
      await inWorkspace(database, workspace, async (transaction) => {
        const { count } = await transaction.run.createMany({ data: [run], skipDuplicates: true });
        if (count > 0) await enqueue(transaction, { kind: "job", pool: run.pool, job: { kind: "run", run: id } });
      });
      wakeOutbox();
      return { run: id };
    },
    async cancel({ workspace }, { id }) {
      await requireRun(database, workspace, id);
      await inWorkspace(database, workspace, async (transaction) => {
        const active = await transaction.run.count({ where: { id, state: { in: ["queued", "running"] } } });
        if (active > 0) await endRun(transaction, id, { state: "cancelled" });
      });
      wakeOutbox();
    },
    async *follow({ workspace }, { id, lastEventId }, signal): AsyncGenerator<Tracked<Event>> {
      await requireRun(database, workspace, id);
      for await (const { number, event } of feeds.read(id, positionOf(lastEventId), signal)) {
        if (event.type !== "unknown") yield { cursor: String(number), event: RunEvent.parse(event) };
      }
    },
    async claim({ workspace }, { id, worker, nonce }) {
      const [claimed] = await overOutages(
        () => database.$queryRaw<{ token: number; host: string | null; repository: string; digest: string; command: string[] }[]>`
          UPDATE run SET state = 'running', worker = ${worker}, claim_nonce = ${nonce},
            token = CASE state WHEN 'queued' THEN nextval(pg_get_serial_sequence('run', 'token')) ELSE token END,
            lease_until = clock_timestamp() + make_interval(secs => ${leaseSeconds}::float8)
          WHERE id = ${id} AND workspace = ${workspace}
            AND (state = 'queued' OR (state = 'running' AND claim_nonce = ${nonce} AND lease_until > clock_timestamp()))
          RETURNING token, host, repository, digest, command`,
      );
      if (claimed === undefined) return null;
      const { token, host, repository, digest, command } = claimed;
      return { token, leaseSeconds, image: { host: host ?? undefined, repository, digest: Digest.parse(digest) }, command };
    },
    async renew({ workspace }, { id, token }) {
      const renewed = await overOutages(
        () => leases.$executeRaw`
          UPDATE run SET lease_until = clock_timestamp() + make_interval(secs => ${leaseSeconds}::float8)
          WHERE id = ${id} AND workspace = ${workspace} AND token = ${token} AND state = 'running' AND lease_until > clock_timestamp()`,
      );
      if (renewed > 0) return { leaseSeconds, cancelled: false };
      const cancelled = await overOutages(() => leases.run.count({ where: { id, workspace, token, state: "cancelled" } }));
      if (cancelled === 0) throw leaseLost();
      return { leaseSeconds, cancelled: true };
    },
    async finish({ workspace }, { id, token, outcome }) {
      await inWorkspace(database, workspace, async (transaction) => {
        const ended = await transaction.run.count({ where: { id, workspace, token, state: { in: ["done", "failed"] } } });
        if (ended > 0) return;
        const [held] = await transaction.$queryRaw<{ id: string }[]>`
          SELECT id FROM run
          WHERE id = ${id} AND workspace = ${workspace} AND token = ${token} AND state = 'running' AND lease_until > clock_timestamp()
          FOR UPDATE`;
        if (held === undefined) throw leaseLost();
        await endRun(transaction, id, "exitCode" in outcome ? { state: "done", ...outcome } : { state: "failed", ...outcome });
      });
      wakeOutbox();
    },
  };
}

async function requireRun(database: Database, workspace: string, id: string): Promise<void> {
  if ((await overOutages(() => database.run.count({ where: { id, workspace } }))) > 0) return;
  throw new LaminaError({ code: "NOT_FOUND", message: `There is no run ${id}.` });
}

/** The cursor of a run's feed is the number of the last event that was seen. */
function positionOf(cursor: string | null | undefined): number {
  if (cursor === null || cursor === undefined) return 0;
  const position = z.coerce.number().int().min(0).safeParse(cursor);
  if (!position.success) throw badInput("invalid-request", "The cursor is none of this feed's.");
  return position.data;
}
