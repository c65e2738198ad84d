/** What an event of a build is worth saying where output is not a terminal: whole lines, in order. */
import type { BuildEvent } from "lamina";
import { type BuildView, countLayers, elapsed } from "./state.ts";
import { fit } from "./columns.ts";
import { bytesText, durationText, plainLine, shownLine } from "./text.ts";

/** Of what was asked for: a log has no width, and a command may be a whole script. */
const LONGEST_DETAIL = 120;

/** The lines for an event; `view` is what is known once it has been taken in. */
export function plainLines(event: BuildEvent, view: BuildView, now: number): string[] {
  const name = shownLine(view.name);
  const about = (layer: string, text: string) => [`${labelOf(view, layer)} ${text}`];
  switch (event.type) {
    case "planned":
      return view.layers
        .filter(({ state }) => state.kind === "hit")
        .flatMap(({ id, detail, bytes }) => about(id, joined(shortDetail(detail), "hit", bytesText(bytes))));
    case "attempt-cut-off":
      // The build says so itself.
      return event.reason === "cancelled" || view.activity === undefined ? [] : [`${name}: ${shownLine(view.activity)}`];
    case "attempt":
      return view.activity === undefined ? [] : [`${name}: ${shownLine(view.activity)}`];
    case "preparing":
      return [`${name}: ${shownLine(event.what)}`];
    case "layer-started":
      return about(event.layer, joined(detailOf(view, event.layer), "building"));
    case "log":
      return isSaidAtStart(event, view) ? [] : about(event.layer, withoutCommand(plainLine(event.line)));
    case "layer-built":
      return about(event.layer, `built in ${durationText(event.seconds * 1000)}`);
    case "layer-published":
      return about(event.layer, joined("published", bytesText(event.bytes)));
    case "done": {
      const { hits, built } = countLayers(view);
      return [`${name}: done in ${durationText(elapsed(view, now))}: ${hits} hit, ${built} built`];
    }
    case "failed":
      return [`${name}: failed after ${durationText(elapsed(view, now))}`];
    case "cancelled":
      return [`${name}: cancelled after ${durationText(elapsed(view, now))}`];
    case "attempt-started":
    case "attempt-done":
    case "attempt-failed":
    case "progress":
      return [];
  }
}

/** A step says each command before it runs, and one alone is what the layer began with. */
function isSaidAtStart({ layer, line }: Extract<BuildEvent, { type: "log" }>, view: BuildView): boolean {
  const detail = detailOf(view, layer);
  return detail !== "" && line.replaceAll(/\s+/g, " ") === `[1/1] ${detail}`;
}

/** The last line of a step that fails has the command, which was said when it began. */
function withoutCommand(line: string): string {
  return line.replace(/^(lamina: command \d+ of \d+: exit status \d+): .*$/, "$1");
}

/** "[2 pipInstall]". */
function labelOf(view: BuildView, id: string): string {
  const index = view.layers.findIndex((layer) => layer.id === id);
  return index === -1 ? `[${id.slice(0, 12)}]` : `[${index} ${view.layers[index]?.operation}]`;
}

function detailOf(view: BuildView, id: string): string {
  return shortDetail(view.layers.find((layer) => layer.id === id)?.detail ?? "");
}

function shortDetail(detail: string): string {
  return fit(shownLine(detail), LONGEST_DETAIL);
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}
