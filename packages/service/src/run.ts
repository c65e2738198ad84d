/** The life of a process of ours: from its start to a graceful stop. */
import { exitCodeOf, LaminaError } from "@lamina/api";
import { ConfigError } from "./config.ts";

export interface RunServiceOptions {
  /** How long `main` may take to end after a signal, in milliseconds. Default 20,000. */
  readonly graceMs?: number;
}

/**
 * Runs `main` and ends the process with it. SIGTERM and SIGINT abort its signal; a second one, or the
 * end of the grace, ends the process at once. Exit codes: 0 when main ended; 2 for a bad environment;
 * that of a LaminaError; 1 for anything else, unhandled rejections among it.
 */
export function runService(main: (signal: AbortSignal) => Promise<void>, { graceMs = 20_000 }: RunServiceOptions = {}): void {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) return fail(`${name} again: ended at once`, 1);
    stop.abort(new Error(`stopped by ${name}`));
    setTimeout(() => fail(`did not stop within ${graceMs / 1000} s`, 1), graceMs).unref();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  process.on("unhandledRejection", failWith);
  process.on("uncaughtException", failWith);
  const running = (async () => main(stop.signal))();
  running.then(() => process.exit(0), failWith);
}

function failWith(error: unknown): void {
  if (error instanceof ConfigError) return fail(error.message, 2);
  if (error instanceof LaminaError) return fail(`${error.code}: ${error.message}`, exitCodeOf(error.code));
  fail(error instanceof Error ? (error.stack ?? error.message) : String(error), 1);
}

function fail(message: string, exitCode: number): void {
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
}
