import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { findBuild } from "../platform/find.ts";

/** Cancels a build. */
export async function cancel({ build, output }: { readonly build: string; readonly output: Output }): Promise<void> {
  const client = await connect(readConfig(), output);
  const id = await findBuild(client, build);
  await client.builds.cancel(id);
  output.answer({ type: "build", id, state: "cancelled" }, `Build ${id} is cancelled.`);
}
