/** A call that is waited for: its logs on stderr as they come, its result on stdout alone. */
import { type Call, type Client, encodeValue, type Input, LaminaError, spawnCall } from "lamina";
import type { Output } from "../output.ts";
import { failureOf } from "./failure.ts";
import { showLogs } from "./show-logs.ts";

export interface Calling {
  readonly app: string;
  readonly function: string;
  readonly method: string | undefined;
}

export interface AwaitOptions {
  readonly client: Client;
  readonly output: Output;
  /** Cancels the call. */
  readonly signal: AbortSignal;
}

/** How long logs may take that are still on their way when the result is there. */
const LOGS_MS = 2_000;

/** Calls, waits, and shows what comes of it. @throws what the function threw, or the platform says */
export async function awaitCall({ app, function: name, method }: Calling, input: Input, options: AwaitOptions): Promise<void> {
  const { client, output, signal } = options;
  const call = await spawnCall({ app: () => app, function: name, method }, input, client);
  if (output.json) output.event({ type: "call", id: call.id });
  const enough = new AbortController();
  const logs = showLogs(client, { of: { kind: "call", call: call.id }, follow: true }, { output, to: "stderr", signal: enough.signal });
  try {
    const result = await resultOf(call, signal);
    const timer = setTimeout(() => enough.abort(), LOGS_MS);
    await logs;
    clearTimeout(timer);
    showResult(result, output);
  } finally {
    enough.abort();
    await logs;
  }
}

async function resultOf(call: Call, signal: AbortSignal): Promise<unknown> {
  try {
    return await call.get({ signal });
  } catch (error) {
    if (!signal.aborted) throw failureOf(error);
    await call.cancel();
    throw new LaminaError({ code: "CANCELLED", message: "The call was cancelled." }, { cause: error });
  }
}

/** Bytes as they are, anything else as JSON. */
export function showResult(result: unknown, output: Output): void {
  const text = encodeValue(result, "the result");
  const value: unknown = JSON.parse(text);
  if (output.json) output.event({ type: "result", value });
  else if (result instanceof Uint8Array) process.stdout.write(result);
  else output.result(text);
}
