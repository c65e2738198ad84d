/** How a build ends, and what becomes of the attempts that it waited for. All under the workspace's lock. */
import type { BuildOwnEvent, ErrorInfo } from "@lamina/api";
import type { Digest } from "@lamina/ir";
import type { Transaction } from "../database/database.ts";
import { enqueue } from "../outbox/messages.ts";
import { addOwnEvent } from "./own-events.ts";

export type BuildOutcome =
  | { readonly state: "done"; readonly image: string; readonly ref: string; readonly digest: Digest; readonly record: string | null }
  | { readonly state: "failed"; readonly error: ErrorInfo }
  | { readonly state: "cancelled" };

/** Ends a running build; one that has ended stays as it is. */
export async function endBuild(transaction: Transaction, build: string, outcome: BuildOutcome): Promise<void> {
  const { state, ref, digest, record, error } = columnsOf(outcome);
  const ended = await transaction.$queryRaw<{ id: string }[]>`
    WITH ended AS (
      UPDATE build SET state = ${state}::build_state, ref = ${ref}, digest = ${digest}, record = ${record}, error = ${error}::json, ended_at = now()
      WHERE id = ${build} AND state = 'running'
      RETURNING id
    ), forgotten AS (
      DELETE FROM build_secrets USING ended WHERE build_id = ended.id
    )
    SELECT id FROM ended`;
  if (ended.length === 0) return;
  await addOwnEvent(transaction, build, eventOf(outcome));
  if (outcome.state !== "done") await leaveAttempts(transaction, build);
}

/** Cuts off the attempts that no running build wants an unfinished layer of any more. */
async function leaveAttempts(transaction: Transaction, build: string): Promise<void> {
  const left = await transaction.buildAttempt.findMany({ where: { buildId: build }, select: { attemptId: true } });
  await transaction.buildAttempt.deleteMany({ where: { buildId: build } });
  const cutOff = await transaction.$queryRaw<{ id: string }[]>`
    UPDATE attempt a SET state = 'cancelled', ended_at = now()
    WHERE a.id = ANY(${left.map(({ attemptId }) => attemptId)}) AND a.state IN ('queued', 'running')
      AND NOT EXISTS (
        SELECT FROM build_attempt ba
        JOIN build b ON b.id = ba.build_id AND b.state = 'running'
        JOIN attempt_layer l ON l.attempt_id = a.id AND l.layer = ANY(b.layers)
        WHERE ba.attempt_id = a.id AND NOT EXISTS (SELECT FROM record r WHERE r.id = l.record)
      )
    RETURNING a.id`;
  for (const { id } of cutOff) {
    await enqueue(
      transaction,
      { kind: "cancel", id },
      { kind: "end", feed: id, event: { type: "attempt-cut-off", at: Date.now(), reason: "cancelled" } },
    );
  }
}

function columnsOf(outcome: BuildOutcome) {
  const { state } = outcome;
  const { ref, digest, record } = state === "done" ? outcome : { ref: null, digest: null, record: null };
  return { state, ref, digest, record, error: state === "failed" ? JSON.stringify(outcome.error) : null };
}

function eventOf(outcome: BuildOutcome): BuildOwnEvent {
  const at = Date.now();
  const { state } = outcome;
  if (state === "done") return { type: state, at, image: outcome.image, ref: outcome.ref, digest: outcome.digest };
  return state === "failed" ? { type: state, at, error: outcome.error } : { type: state, at };
}
