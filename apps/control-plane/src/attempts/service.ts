import { badInput, type PublishInput, type Services } from "@lamina/api";
import { advance } from "../builds/advance.ts";
import type { Context } from "../context.ts";
import { inWorkspace, overOutages, type Transaction } from "../database/database.ts";
import { enqueue } from "../outbox/messages.ts";
import { claimAttempt } from "./claim.ts";
import { endAttempt } from "./ended.ts";
import { leaseLost, requireLease, waitingBuilds } from "./lease.ts";

export function createAttemptsService(context: Context): Services["attempts"] {
  const { database, leases, wakeOutbox } = context;
  const { leaseSeconds } = context.config;
  return {
    async claim({ workspace }, input) {
      const claimed = await claimAttempt(context, workspace, input);
      wakeOutbox();
      return claimed;
    },
    async renew({ workspace }, { id, token }) {
      const renewed = await overOutages(
        () => leases.$executeRaw`
          UPDATE attempt SET lease_until = clock_timestamp() + make_interval(secs => ${leaseSeconds}::float8)
          WHERE id = ${id} AND workspace = ${workspace} AND token = ${token} AND state = 'running' AND lease_until > clock_timestamp()`,
      );
      if (renewed > 0) return { leaseSeconds, cancelled: false };
      const cancelled = await overOutages(() => leases.attempt.count({ where: { id, workspace, token, state: "cancelled" } }));
      if (cancelled === 0) throw leaseLost();
      return { leaseSeconds, cancelled: true };
    },
    async publish({ workspace }, input) {
      await inWorkspace(database, workspace, async (transaction) => {
        if (!(await keepRecord(context, transaction, { workspace, ...input }))) return;
        const waiting = await waitingBuilds(transaction, input.id);
        await transaction.build.updateMany({ where: { id: { in: waiting } }, data: { lostAttempts: 0 } });
        for (const build of waiting) await advance(context, transaction, build);
      });
      wakeOutbox();
    },
    async finish({ workspace }, { id, token, error }) {
      await inWorkspace(database, workspace, async (transaction) => {
        const ended = await transaction.attempt.count({ where: { id, workspace, token, state: { in: ["done", "failed"] } } });
        if (ended > 0) return;
        await requireLease(transaction, workspace, { id, token });
        await endAttempt(context, transaction, { id, outcome: error === undefined ? { state: "done" } : { state: "failed", error } });
      });
      wakeOutbox();
    },
    async release({ workspace }, { id, token }) {
      await inWorkspace(database, workspace, async (transaction) => {
        const released = await transaction.attempt.count({ where: { id, workspace, token, state: "released" } });
        if (released > 0) return;
        await requireLease(transaction, workspace, { id, token });
        await endAttempt(context, transaction, { id, outcome: { state: "released" } });
      });
      wakeOutbox();
    },
  };
}

/** @returns false when the record is there already: the call came twice. @throws {LaminaError} LEASE_LOST, INVALID_INPUT */
async function keepRecord(
  { repositories }: Context,
  transaction: Transaction,
  publication: PublishInput & { readonly workspace: string },
): Promise<boolean> {
  const { id: attemptId, workspace, layer, digest, bytes, seconds } = publication;
  const { worker: builder, definition } = await requireLease(transaction, workspace, publication);
  const made = await transaction.attemptLayer.findFirst({ where: { attemptId, layer } });
  if (made === null) throw badInput("invalid-request", `Layer ${layer} is none of attempt ${attemptId}.`);
  const { record: id, parentRecord: parent } = made;
  const known = await transaction.record.findUnique({ where: { id } });
  if (known?.digest === digest) return false;
  if (known !== null) throw badInput("invalid-request", `Layer ${layer} was published with another digest.`);
  const { builderVersion } = definition;
  await transaction.record.create({ data: { id, workspace, layer, parent, digest, bytes, seconds, builder, builderVersion } });
  await enqueue(transaction, { kind: "tag", repository: repositories.images(workspace), digest, tag: `${layer}-${id}` });
  return true;
}
