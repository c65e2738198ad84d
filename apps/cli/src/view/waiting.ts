/** What is waited for, before there is anything else to show. */
import { createLogUpdate } from "log-update";
import type { Output } from "../output.ts";
import { fit } from "./columns.ts";
import { shownLine } from "./text.ts";

export interface Waiting extends Disposable {
  note(what: string): void;
  clear(): void;
}

/** A line on a terminal until the command says something. */
export function showWaiting(output: Output): Waiting {
  const update = output.isTerminal && !output.json ? createLogUpdate(process.stderr) : undefined;
  let shown = false;
  const clear = () => {
    if (shown) update?.clear();
    if (shown) update?.done();
    shown = false;
  };
  return {
    note(what: string) {
      shown = true;
      update?.(output.colors.dim(fit(shownLine(what), (process.stderr.columns ?? 80) - 1)));
    },
    clear,
    [Symbol.dispose]: clear,
  };
}
