/** Leases of attempts. Their time is Postgres' clock, whatever the machine of a process says. */
import { LaminaError, type LeaseProof } from "@lamina/api";
import { ResolvedDefinition } from "@lamina/ir";
import type { Transaction } from "../database/database.ts";

export function leaseLost(): LaminaError {
  return new LaminaError({
    code: "LEASE_LOST",
    message: "The lease has ended, or somebody else has it now; what was made under it is not taken.",
  });
}

export interface LeasedAttempt {
  readonly worker: string | null;
  readonly definition: ResolvedDefinition;
}

/** The attempt, locked, when that token holds its lease now. @throws {LaminaError} LEASE_LOST */
export async function requireLease(transaction: Transaction, workspace: string, { id, token }: LeaseProof): Promise<LeasedAttempt> {
  const [attempt] = await transaction.$queryRaw<{ worker: string | null; definition: unknown }[]>`
    SELECT worker, definition FROM attempt
    WHERE id = ${id} AND workspace = ${workspace} AND token = ${token} AND state = 'running' AND lease_until > clock_timestamp()
    FOR UPDATE`;
  if (attempt === undefined) throw leaseLost();
  return { worker: attempt.worker, definition: ResolvedDefinition.parse(attempt.definition) };
}

/** The running builds that wait for an attempt, the oldest first. */
export async function waitingBuilds(transaction: Transaction, attempt: string): Promise<string[]> {
  const builds = await transaction.build.findMany({
    where: { state: "running", attempts: { some: { attemptId: attempt } } },
    orderBy: { id: "asc" },
    select: { id: true },
  });
  return builds.map(({ id }) => id);
}
