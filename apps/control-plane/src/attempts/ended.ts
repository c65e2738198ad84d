/** What follows from the end of an attempt. All under the workspace's lock. */
import { type AttemptEnd, type ErrorInfo, SourceLocation } from "@lamina/api";
import { z } from "zod";
import { advance, type AdvanceContext } from "../builds/advance.ts";
import { endBuild } from "../builds/end.ts";
import type { Transaction } from "../database/database.ts";
import type { AttemptLayer, Build } from "../generated/client.ts";
import { stateOf } from "../images/chain.ts";
import { enqueue } from "../outbox/messages.ts";
import { forgetMissing } from "./forget-missing.ts";
import { waitingBuilds } from "./lease.ts";

export type AttemptOutcome =
  | { readonly state: "done" }
  | { readonly state: "failed"; readonly error: ErrorInfo }
  | { readonly state: "expired" }
  /** Its builder gave it back. */
  | { readonly state: "released" };

export interface EndedAttempt {
  readonly id: string;
  readonly outcome: AttemptOutcome;
}

/** After so many lost attempts in a row a build is given up. */
const MAX_LOST = 3;

/**
 * Ends an attempt. A failure fails the builds that want the failed layer or one after it; all others go
 * on, with another attempt where the layers that they lack were lost with this one.
 */
export async function endAttempt(context: AdvanceContext, transaction: Transaction, { id, outcome }: EndedAttempt): Promise<void> {
  await transaction.$executeRaw`UPDATE attempt SET state = ${outcome.state}::attempt_state, ended_at = now() WHERE id = ${id}`;
  await enqueue(transaction, { kind: "end", feed: id, event: endEvent(outcome) });
  if (outcome.state === "failed") await forgetMissing(transaction, id, outcome.error);
  const unfinished = await unfinishedLayers(transaction, id);
  for (const buildId of await waitingBuilds(transaction, id)) {
    const build = await transaction.build.findUniqueOrThrow({ where: { id: buildId } });
    const lacking = await layersThatItLacks(transaction, build, unfinished);
    const error = errorFor(build, outcome, lacking);
    if (error !== undefined) {
      await endBuild(transaction, buildId, { state: "failed", error });
      continue;
    }
    const isLost = lacking.length > 0 && outcome.state !== "released";
    if (isLost) await transaction.build.update({ where: { id: buildId }, data: { lostAttempts: { increment: 1 } } });
    await advance(context, transaction, buildId);
  }
}

/** Why a build fails with the attempt; undefined when it goes on. */
function errorFor(build: Build, outcome: AttemptOutcome, lacking: readonly AttemptLayer[]): ErrorInfo | undefined {
  const last = lacking.at(-1);
  if (last === undefined) return undefined;
  if (outcome.state === "failed") {
    const failed = outcome.error.code === "BASE_UNAUTHORIZED" ? 0 : build.layers.indexOf(outcome.error.layer ?? "");
    return failed > last.index ? undefined : withSource(outcome.error, build, failed);
  }
  if (outcome.state === "released" || build.lostAttempts + 1 < MAX_LOST) return undefined;
  const message = `${MAX_LOST} builders in turn were lost while they made the same layers. The logs of the builders may say why.`;
  return { code: "ATTEMPT_LOST", message, layer: lacking[0]?.layer };
}

function withSource(error: ErrorInfo, build: Build, layer: number): ErrorInfo {
  const source = z.array(SourceLocation.nullable()).parse(build.sources)[layer] ?? undefined;
  return { ...error, source };
}

async function layersThatItLacks(transaction: Transaction, build: Build, unfinished: readonly AttemptLayer[]): Promise<AttemptLayer[]> {
  const { workspace, layers, forcedFrom, id } = build;
  const { hit } = await stateOf(transaction, { workspace, layers, forcedFrom, build: id });
  return unfinished.filter(({ layer, index }) => index > hit.index && layers[index] === layer);
}

/** The layers of an attempt that have no record, in order. */
async function unfinishedLayers(transaction: Transaction, attempt: string): Promise<AttemptLayer[]> {
  const layers = await transaction.attemptLayer.findMany({ where: { attemptId: attempt }, orderBy: { index: "asc" } });
  const records = await transaction.record.findMany({ where: { id: { in: layers.map(({ record }) => record) } }, select: { id: true } });
  const published = new Set(records.map(({ id }) => id));
  return layers.filter(({ record }) => !published.has(record));
}

function endEvent(outcome: AttemptOutcome): AttemptEnd {
  const at = Date.now();
  if (outcome.state === "failed") return { type: "attempt-failed", at, error: outcome.error };
  return outcome.state === "done" ? { type: "attempt-done", at } : { type: "attempt-cut-off", at, reason: outcome.state };
}
