/** Text for people. */
import { stripVTControlCharacters } from "node:util";
import prettyBytes from "pretty-bytes";
import prettyMilliseconds from "pretty-ms";

/** What a terminal would do something at, or would break or turn a line at. */
// oxlint-disable-next-line no-control-regex -- control characters are what is meant
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
// oxlint-disable-next-line no-control-regex -- colours begin with one
const COLOR = /(\u001b\[[\d;:]*m)/;

/** One line of a program's output without what moves the cursor: what a progress bar overwrote is left out. */
export function plainLine(line: string): string {
  return harmless(line.replaceAll("\t", "  "));
}

/** One line of a program's output where that is the result: its tabs stay, and on a terminal its colours, which end with it. */
export function outputLine(line: string, { colored }: { readonly colored: boolean }): string {
  const harmlessColumns = (text: string) => text.split("\t").map(harmless).join("\t");
  if (!colored || !COLOR.test(line)) return harmlessColumns(line);
  const parts = line
    .split(COLOR)
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll("\r", "").split("\t").map(stripped).join("\t")));
  return `${parts.join("")}\u001b[0m`;
}

/** A name, a path or a text of others on one line: what is not to be printed as it is shows as its escape. */
export function shownLine(text: string): string {
  return text.replaceAll(CONTROL, (character) => {
    const quoted = JSON.stringify(character).slice(1, -1);
    return quoted === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}` : quoted;
  });
}

/** A line of a source file: tabs stay, and each other character takes its one place. */
export function shownSource(line: string): string {
  return line.replaceAll(CONTROL, (character) => (character === "\t" ? character : "\ufffd"));
}

function harmless(line: string): string {
  return stripped(stripVTControlCharacters(line).trimEnd().split("\r").at(-1) ?? "");
}

function stripped(text: string): string {
  return stripVTControlCharacters(text).replaceAll(CONTROL, "");
}

export function bytesText(bytes: number | undefined): string {
  return bytes === undefined ? "" : prettyBytes(bytes);
}

/** "1 file", "2 files". */
export function countText(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** The time of an ISO date by the clock of whoever reads it, such as "2026-11-26 07:25:55". */
export function timeText(date: string): string {
  const local = new Date(date);
  const minutes = local.getTime() - local.getTimezoneOffset() * 60_000;
  return new Date(minutes).toISOString().slice(0, 19).replace("T", " ");
}

/** A time in a listing: on a terminal by the clock of whoever reads it, for programs as it is. */
export function listedTime(date: string, { columns }: { readonly columns: number | undefined }): string {
  return columns === undefined ? date : timeText(date);
}

/** "cpu", "T4, 1 GPU", "A100, 2 GPUs". */
export function poolText({ pool, gpus }: { readonly pool: string; readonly gpus: number }): string {
  return gpus === 0 ? pool : `${pool}, ${countText(gpus, "GPU")}`;
}

/** "350ms", "2.8s", "1m 4s". */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)}ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)}s`;
  return prettyMilliseconds(milliseconds, { secondsDecimalDigits: 0 });
}
