import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";

/** Ends an app: its calls and containers. */
export async function stop({ app, output }: { readonly app: string; readonly output: Output }): Promise<void> {
  const client = await connect(readConfig(), output);
  await client.apps.stop(app);
  const { name } = await client.apps.get(app);
  output.answer({ type: "app", name, state: "stopped" }, `${name} is stopped.`);
}
