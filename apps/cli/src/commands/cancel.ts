import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { findBuild } from "../platform/find.ts";

/** Cancels a build; one that has ended stays as it is. */
export async function cancel({ build, output }: { readonly build: string; readonly output: Output }): Promise<void> {
  const client = await connect(readConfig(), output);
  const id = await findBuild(client, build);
  await client.builds.cancel(id);
  const { state } = await client.builds.get(id);
  const said =
    state === "cancelled"
      ? `Build ${id} is cancelled.`
      : `Build ${id} had ended before: it ${state === "failed" ? "had failed" : "was done"}.`;
  output.answer({ type: "build", id, state }, said);
}
