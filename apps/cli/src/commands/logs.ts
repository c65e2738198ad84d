import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { INTERRUPTED, onInterrupt } from "../interrupt.ts";
import { connect } from "../platform/connect.ts";
import { findBuild } from "../platform/find.ts";
import { plainLines } from "../view/plain.ts";
import { afterEvent, newBuildView } from "../view/state.ts";

export interface LogsOptions {
  readonly build: string;
  /** Until the build ends; else what there is by now. */
  readonly follow: boolean;
  readonly output: Output;
}

/** Shows the events of a build. They are the result here, and so on stdout. */
export async function logs({ build, follow, output }: LogsOptions): Promise<void> {
  const client = await connect(readConfig(), output);
  const { id, image, name, createdAt } = await client.builds.get(await findBuild(client, build));
  using interruption = onInterrupt();
  const { signal } = interruption;
  let view = newBuildView(name ?? image.slice(0, 12), [], Date.parse(createdAt));
  for await (const event of client.builds.follow(id, { signal, until: follow ? undefined : "now" })) {
    view = afterEvent(view, event, event.at);
    if (output.json) output.event(event);
    else for (const line of plainLines(event, view, event.at)) output.result(line);
  }
  if (signal.aborted) process.exitCode = INTERRUPTED;
}
