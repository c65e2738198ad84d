/** A build drawn on a terminal. */
import { createLogUpdate } from "log-update";
import type { BuildDisplay, DisplayOptions, ShownState } from "./display.ts";
import { liveLines } from "./live.ts";

const REDRAW_MS = 100;

/** Redrawn on a clock, however fast events come, and a last time at the end. */
export function liveDisplay({ output, brief }: DisplayOptions, state: ShownState): BuildDisplay {
  const update = createLogUpdate(process.stderr);
  const draw = () => {
    const { columns, rows } = process.stderr;
    update(liveLines(state.view(), { columns, rows, now: Date.now(), colors: output.colors, brief }).join("\n"));
  };
  const timer = setInterval(draw, REDRAW_MS);
  draw();
  return {
    ...state,
    said: (text) => state.activity(text),
    [Symbol.dispose]() {
      clearInterval(timer);
      state.rest();
      draw();
      update.done();
    },
  };
}
