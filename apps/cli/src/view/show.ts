/** Shows a build as it goes on: drawn on a terminal, as lines or as JSON elsewhere. */
import type { BuildDisplay, DisplayOptions, ShownState } from "./display.ts";
import { plainLines } from "./plain.ts";
import { shownLine } from "./text.ts";
import { afterEvent, isAllHit, newBuildView, withoutActivity } from "./state.ts";

export async function showBuild(options: DisplayOptions): Promise<BuildDisplay> {
  const { output, name, details } = options;
  const state = viewState(name, details);
  if (output.json) return jsonDisplay(options, state);
  if (!output.isTerminal) return plainDisplay(options, state);
  // What draws takes a while to load.
  const { liveDisplay } = await import("./live-display.ts");
  return liveDisplay(options, state);
}

function jsonDisplay({ output, name }: DisplayOptions, state: ShownState): BuildDisplay {
  return {
    ...state,
    event(event) {
      state.event(event);
      output.event({ ...event, name });
    },
    said() {},
    [Symbol.dispose]() {},
  };
}

function plainDisplay({ output, brief }: DisplayOptions, state: ShownState): BuildDisplay {
  return {
    ...state,
    event(event) {
      state.event(event);
      if (brief && event.type === "planned" && isAllHit(state.view())) return;
      for (const line of plainLines(event, state.view(), Date.now())) output.line(line);
    },
    said: (text) => output.line(`${shownLine(state.view().name)}: ${text}`),
    [Symbol.dispose]() {},
  };
}

function viewState(name: string, details: readonly string[]): ShownState {
  let view = newBuildView(name, details, Date.now());
  return {
    event(event) {
      view = afterEvent(view, event, Date.now());
    },
    activity(text) {
      view = { ...view, activity: text };
    },
    rest() {
      view = withoutActivity(view);
    },
    view: () => view,
  };
}
