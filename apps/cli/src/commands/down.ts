import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { down as stop } from "../platform/down.ts";
import { showStartup } from "../view/startup.ts";

/** Stops the platform and what an earlier one may have left. */
export async function down({ output }: { readonly output: Output }): Promise<void> {
  using display = showStartup(output);
  const ran = await stop(readConfig(), (record) => display.progress({ ...record, state: "stopping" }));
  output.answer({ type: "platform", state: "down", ran }, ran ? "The platform is down." : "The platform was not up.");
}
