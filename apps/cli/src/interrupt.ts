/** Ctrl-C: the first asks the work in hand to stop, the second ends the program at once. */
import { constants } from "node:os";
import { endProcess } from "./user-file/guard.ts";

/** The exit code for what was cancelled. */
export const INTERRUPTED = 130;

export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
}

/** A signal to the process group comes twice: by itself, and passed on by whoever started this process. */
const SAME_MS = 500;

/** Aborts its signal on the first SIGINT or SIGTERM; a second one, half a second later or more, ends the process with 130. */
export function onInterrupt(): Interruption {
  const controller = new AbortController();
  let since: number | undefined;
  const interrupt = (name: NodeJS.Signals) => {
    if (since !== undefined && performance.now() - since < SAME_MS) return;
    if (since !== undefined) endProcess(name === "SIGINT" ? INTERRUPTED : 128 + constants.signals[name]);
    since = performance.now();
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
