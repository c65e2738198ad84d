import type { Client } from "lamina";
import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { type BuildOrCall, findBuildOrCall } from "../platform/find.ts";

export interface CancelOptions {
  /** Builds and calls, by their ids or the ends of those. */
  readonly ids: readonly string[];
  readonly output: Output;
}

/** Cancels builds and calls; what has ended stays as it is. All are looked for first, so that one that is not there cancels none. */
export async function cancel({ ids, output }: CancelOptions): Promise<void> {
  const client = await connect(readConfig(), output);
  const found: BuildOrCall[] = [];
  for (const id of ids) found.push(await findBuildOrCall(client, id));
  for (const one of found) {
    const { id, state } = one.kind === "call" ? await cancelledCall(client, one.call) : await cancelledBuild(client, one.id);
    const name = `${one.kind === "call" ? "Call" : "Build"} ${id}`;
    const said =
      state === "cancelled" ? `${name} is cancelled.` : `${name} had ended before: it ${state === "failed" ? "had failed" : "was done"}.`;
    output.answer({ type: one.kind, id, state }, said);
  }
}

async function cancelledCall({ calls }: Client, id: string) {
  await calls.cancel([id]);
  return calls.get(id);
}

async function cancelledBuild({ builds }: Client, id: string) {
  await builds.cancel(id);
  return builds.get(id);
}
