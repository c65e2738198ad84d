import type { ErrorInfo, RunEnd } from "@lamina/api";
import type { Transaction } from "../database/database.ts";
import { enqueue } from "../outbox/messages.ts";

export type RunOutcome =
  | { readonly state: "done"; readonly exitCode: number }
  | { readonly state: "failed"; readonly error: ErrorInfo }
  | { readonly state: "cancelled" }
  /** Its lease ran out. It is never started again: nobody knows how far it got. */
  | { readonly state: "expired" };

/** Ends a run, and its feed. The caller has seen under lock that it has not ended. */
export async function endRun(transaction: Transaction, id: string, outcome: RunOutcome): Promise<void> {
  const exitCode = outcome.state === "done" ? outcome.exitCode : null;
  await transaction.$executeRaw`UPDATE run SET state = ${outcome.state}::run_state, exit_code = ${exitCode}, ended_at = now() WHERE id = ${id}`;
  await enqueue(transaction, { kind: "end", feed: id, event: endEvent(outcome) });
  if (outcome.state === "cancelled") await enqueue(transaction, { kind: "cancel", id });
}

function endEvent(outcome: RunOutcome): RunEnd {
  const at = Date.now();
  return outcome.state === "done"
    ? { type: "run-exited", at, exitCode: outcome.exitCode }
    : { type: "run-failed", at, error: errorOf(outcome) };
}

function errorOf(outcome: Exclude<RunOutcome, { readonly state: "done" }>): ErrorInfo {
  if (outcome.state === "failed") return outcome.error;
  if (outcome.state === "cancelled") return { code: "CANCELLED", message: "The run was cancelled." };
  return { code: "RUN_FAILED", message: "The runner was lost while the command ran; it is not known how far it got." };
}
