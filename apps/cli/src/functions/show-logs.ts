/** What functions wrote, line by line. */
import type { Client, LogBatch } from "lamina";
import type { Output } from "../output.ts";
import { outputLine } from "../view/text.ts";

export interface ShowOptions {
  readonly output: Output;
  /** On the way to a result they go to stderr; where they are the result, to stdout. */
  readonly to: "stdout" | "stderr";
}

export interface ShowLogsOptions extends ShowOptions {
  readonly signal: AbortSignal;
}

export async function showLogs(
  client: Client,
  input: Parameters<Client["calls"]["logs"]>[0],
  { signal, ...options }: ShowLogsOptions,
): Promise<void> {
  for await (const batch of client.calls.logs(input, { signal })) showLines(batch, options);
}

export function showLines(batch: LogBatch, { output, to }: ShowOptions): void {
  if (output.json) return output.event({ type: "log", ...batch });
  const colored = (to === "stdout" ? output.resultColors : output.colors).isColorSupported;
  for (const line of batch.lines) process[to].write(`${outputLine(line, { colored })}\n`);
}
