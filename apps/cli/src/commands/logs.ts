import type { Client } from "lamina";
import { readConfig } from "../config.ts";
import { showLogs } from "../functions/show-logs.ts";
import { INTERRUPTED, onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { findLogged } from "../platform/find.ts";
import { plainLines } from "../view/plain.ts";
import { afterEvent, newBuildView } from "../view/state.ts";

export interface LogsOptions {
  /** A build or a call by its id, or an app by its name. */
  readonly of: string;
  /** Until it ends; else what there is by now. */
  readonly follow: boolean;
  readonly output: Output;
}

interface Following {
  readonly follow: boolean;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Shows what a build, a call or an app said. It is the result here, and so on stdout. */
export async function logs({ of, follow, output }: LogsOptions): Promise<void> {
  const client = await connect(readConfig(), output);
  const found = await findLogged(client, of);
  using interruption = onInterrupt();
  const { signal } = interruption;
  if (found.kind === "build") await buildLogs(client, found.id, { follow, output, signal });
  else await showLogs(client, { of: found, follow }, { output, to: "stdout", signal });
  if (!signal.aborted) return;
  output.afterInterrupt();
  process.exitCode = INTERRUPTED;
}

async function buildLogs(client: Client, build: string, { follow, output, signal }: Following): Promise<void> {
  const { id, image, name, createdAt, state } = await client.builds.get(build);
  let view = newBuildView(name ?? image.slice(0, 12), [], Date.parse(createdAt));
  for await (const event of client.builds.follow(id, { signal, until: follow && state === "running" ? undefined : "now" })) {
    view = afterEvent(view, event, event.at);
    if (output.json) output.event(event);
    else for (const line of plainLines(event, view, event.at)) output.result(line);
  }
}
