/** The picture of a build on a terminal: pure, from what is known to lines that fit. */
import type { Colors } from "../output.ts";
import { type BuildView, countLayers, elapsed, isAllHit, type LayerView } from "./state.ts";
import { bytesText, countText, durationText, plainLine, shownLine } from "./text.ts";
import { cell, cellRight, fit } from "./columns.ts";

export interface Canvas {
  readonly columns: number;
  readonly rows: number;
  /** Milliseconds by the local clock; what moves on the picture follows from it. */
  readonly now: number;
  readonly colors: Colors;
  /** One line for an image of which everything was there. */
  readonly brief?: boolean;
}

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;
const OPERATION_WIDTH = 13;
/** Where it is narrower, long names of operations are cut. */
const ROOM_FOR_NAMES = 60;
const TIME_WIDTH = 7;
const SIZE_WIDTH = 8;
/** From this width of the middle on, what was asked for stays beside the last line of output. */
const WIDE = 80;

/** The lines of a build: a title, one line a layer, and what else is going on. */
export function liveLines(view: BuildView, canvas: Canvas): string[] {
  if (canvas.brief === true && view.outcome?.kind === "done" && isAllHit(view)) return [briefLine(view, canvas)];
  const width = operationWidth(view.layers, canvas);
  const lines = view.layers.map((layer, index) => layerLine(layer, { index, width }, canvas));
  const footer = footerLine(view, canvas);
  return [titleLine(view, canvas), ...inHeight(view.layers, lines, canvas), ...(footer === undefined ? [] : [footer])];
}

function briefLine(view: BuildView, { columns, colors, now }: Canvas): string {
  const said = ` ${shownLine(view.name)}: ${view.layers.length} hit in ${durationText(elapsed(view, now))}`;
  return colors.green("✓") + colors.dim(fit(said, columns - 2));
}

function titleLine(view: BuildView, { columns, colors }: Canvas): string {
  return colors.bold(fit(shownLine(view.name), columns - 1));
}

function operationWidth(layers: readonly LayerView[], { columns }: Canvas): number {
  return columns < ROOM_FOR_NAMES ? OPERATION_WIDTH : Math.max(OPERATION_WIDTH, ...layers.map(({ operation }) => operation.length));
}

interface Label {
  readonly index: number;
  /** Of the operation's name. */
  readonly width: number;
}

function layerLine(layer: LayerView, { index, width }: Label, canvas: Canvas): string {
  const { colors, columns } = canvas;
  const [mark, time] = markAndTime(layer, canvas);
  const label = `${cellRight(String(index), 3)} ${cell(layer.operation, width)} `;
  const right = ` ${cellRight(time, TIME_WIDTH)} ${cellRight(bytesText(layer.bytes), SIZE_WIDTH)}`;
  // One column stays free, since some terminals wrap when the last one is written.
  const middle = columns - 1 - (1 + label.length + right.length);
  if (middle < 1) return fit(`${mark}${label}`, columns - 1);
  return `${mark}${layer.state.kind === "waiting" ? colors.dim(label) : label}${middleOf(layer, middle, colors)}${colors.dim(right)}`;
}

function markAndTime({ state }: LayerView, { colors, now }: Canvas): [mark: string, time: string] {
  switch (state.kind) {
    case "waiting":
      return [colors.dim("·"), ""];
    case "hit":
      return [colors.green("✓"), "hit"];
    case "building":
      return [colors.magenta(SPINNER[Math.floor(now / FRAME_MS) % SPINNER.length] ?? ""), durationText(now - state.since)];
    case "built":
      return [colors.green("✓"), durationText(state.seconds * 1000)];
    case "failed":
      return [colors.red("✗"), durationText(state.seconds * 1000)];
  }
}

function middleOf(layer: LayerView, width: number, colors: Colors): string {
  const detail = shownLine(layer.detail);
  if (layer.state.kind === "waiting") return colors.dim(cell(detail, width));
  if (layer.state.kind !== "building" || layer.state.line === undefined) return cell(detail, width);
  const line = plainLine(layer.state.line);
  if (width < WIDE) return colors.dim(cell(line, width));
  const detailWidth = Math.floor(width * 0.4);
  return `${cell(detail, detailWidth)} ${colors.dim(cell(line, width - detailWidth - 1))}`;
}

function footerLine(view: BuildView, canvas: Canvas): string | undefined {
  const { colors, now } = canvas;
  const width = canvas.columns - 1;
  const took = durationText(elapsed(view, now));
  switch (view.outcome?.kind) {
    case "done": {
      const { hits, built } = countLayers(view);
      return colors.green(fit(`  done in ${took}: ${hits} hit, ${built} built`, width));
    }
    case "failed":
      return colors.red(fit(`  failed after ${took}`, width));
    case "cancelled":
      return colors.magenta(fit(`  cancelled after ${took}`, width));
    case undefined:
      return view.activity === undefined ? undefined : colors.dim(fit(`  ${shownLine(view.activity)}`, width));
  }
}

/** What fits below the title: first the hits at the top are joined into one line, then the waiting ones at the end. */
function inHeight(layers: readonly LayerView[], lines: readonly string[], { rows, columns, colors }: Canvas): string[] {
  // The title, the footer and the line that the cursor is on.
  const room = Math.max(1, rows - 3);
  if (lines.length <= room) return [...lines];
  const summary = (count: number, where: string) => colors.dim(fit(`  … ${countText(count, "layer")} ${where}`, columns - 1));
  const firstOther = layers.findIndex(({ state }) => state.kind !== "hit" && state.kind !== "built");
  const finished = firstOther === -1 ? layers.length : firstOther;
  const hidden = Math.min(finished, lines.length - room + 1);
  const rest = hidden > 0 ? [summary(hidden, "before"), ...lines.slice(hidden)] : [...lines];
  if (rest.length <= room) return rest;
  return [...rest.slice(0, room - 1), summary(rest.length - room + 1, "after")];
}
