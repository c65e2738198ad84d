import { once } from "node:events";
import { type Client, badInput, LaminaError, type RunEvent } from "lamina";
import { imageOf } from "../built-image.ts";
import { readConfig } from "../config.ts";
import { INTERRUPTED, onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { showWaiting } from "../view/waiting.ts";

export interface ExecOptions {
  /** An image id or the beginning of one, a reference by digest, or FILE#export. */
  readonly image: string;
  readonly command: readonly string[];
  readonly output: Output;
}

interface ExecContext {
  readonly client: Client;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Runs a command in an image. Its output is ours, and so is its exit code. */
export async function exec({ image, command, output }: ExecOptions): Promise<void> {
  if (command.length === 0) {
    throw badInput("invalid-usage", `Say which command is to run: lamina exec ${image} -- COMMAND`);
  }
  const client = await connect(readConfig(), output);
  using interruption = onInterrupt();
  const context: ExecContext = { client, output, signal: interruption.signal };
  process.exitCode = await runIn(await imageOf(image, context), command, context);
}

/** Runs a command in an image that the platform knows by this id or reference; its exit code. */
export async function runIn(image: string, command: readonly string[], context: ExecContext): Promise<number> {
  const { run } = await context.client.runs.start({ image, command: [...command] });
  return follow(run, context);
}

/** The exit code of the command; 130 when it was interrupted. */
async function follow(run: string, { client, output, signal }: ExecContext): Promise<number> {
  using waiting = showWaiting(output);
  waiting.note("waiting for a runner");
  for await (const event of client.runs.follow(run, { signal })) {
    if (output.json) output.event(event);
    switch (event.type) {
      case "run-started":
        break;
      case "preparing":
        waiting.note(event.what);
        break;
      case "output":
        waiting.clear();
        if (!output.json) await write(event);
        break;
      case "run-exited":
        return event.exitCode;
      case "run-failed":
        throw new LaminaError(event.error);
    }
  }
  // The feed ends before its last event only by the signal.
  await client.runs.cancel(run);
  output.afterInterrupt();
  return INTERRUPTED;
}

/** Waits where the reader is slow, so that output does not pile up here. */
async function write({ stream, data }: Extract<RunEvent, { type: "output" }>): Promise<void> {
  const target = stream === "stdout" ? process.stdout : process.stderr;
  if (!target.write(Buffer.from(data, "base64"))) await once(target, "drain");
}
