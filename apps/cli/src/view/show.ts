/** Shows a build as it goes on: drawn on a terminal, as lines or as JSON elsewhere. */
import { createLogUpdate } from "log-update";
import type { Output } from "../output.ts";
import type { BuildEvent } from "lamina";
import { liveLines } from "./live.ts";
import { plainLines } from "./plain.ts";
import { afterEvent, type BuildView, newBuildView, withoutActivity } from "./state.ts";

const REDRAW_MS = 100;

export interface BuildDisplay extends Disposable {
  /** An event of the build's feed. */
  event(event: BuildEvent): void;
  /** What this process is doing for the build. */
  activity(text: string): void;
  /** What is known by now. */
  view(): BuildView;
}

export interface DisplayOptions {
  readonly output: Output;
  /** The image's name. */
  readonly name: string;
  /** What each layer is to be, the base first. */
  readonly details: readonly string[];
}

export function showBuild(options: DisplayOptions): BuildDisplay {
  if (options.output.json) return jsonDisplay(options);
  return options.output.isTerminal ? liveDisplay(options) : plainDisplay(options);
}

function jsonDisplay({ output, name, details }: DisplayOptions): BuildDisplay {
  const state = viewState(name, details);
  return {
    ...state,
    event(event) {
      state.event(event);
      output.event({ ...event, name });
    },
    [Symbol.dispose]() {},
  };
}

function plainDisplay({ output, name, details }: DisplayOptions): BuildDisplay {
  const state = viewState(name, details);
  return {
    ...state,
    event(event) {
      state.event(event);
      for (const line of plainLines(event, state.view(), Date.now())) output.note(line);
    },
    [Symbol.dispose]() {},
  };
}

/** Redrawn on a clock, however fast events come, and a last time at the end. */
function liveDisplay({ output, name, details }: DisplayOptions): BuildDisplay {
  const state = viewState(name, details);
  const update = createLogUpdate(process.stderr);
  const draw = () => {
    const { columns, rows } = process.stderr;
    update(liveLines(state.view(), { columns, rows, now: Date.now(), colors: output.colors }).join("\n"));
  };
  const timer = setInterval(draw, REDRAW_MS);
  draw();
  return {
    ...state,
    [Symbol.dispose]() {
      clearInterval(timer);
      state.rest();
      draw();
      update.done();
    },
  };
}

function viewState(name: string, details: readonly string[]) {
  let view = newBuildView(name, details, Date.now());
  return {
    event(event: BuildEvent) {
      view = afterEvent(view, event, Date.now());
    },
    activity(text: string) {
      view = { ...view, activity: text };
    },
    /** Nothing goes on any more. */
    rest() {
      view = withoutActivity(view);
    },
    view: () => view,
  };
}
