/** Ctrl-C: the first asks the work in hand to stop, the second ends the program at once. */
import { constants } from "node:os";

/** The exit code for what was cancelled. */
export const INTERRUPTED = 130;

export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
}

/** Aborts its signal on the first SIGINT or SIGTERM; a second one ends the process with 130. */
export function onInterrupt(): Interruption {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(name === "SIGINT" ? INTERRUPTED : 128 + constants.signals[name]);
    controller.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
    },
  };
}
