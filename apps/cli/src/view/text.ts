/** Text for people. */
import { stripVTControlCharacters } from "node:util";
import prettyBytes from "pretty-bytes";
import prettyMilliseconds from "pretty-ms";

/** One line of a program's output without what moves the cursor: what a progress bar overwrote is left out. */
export function plainLine(line: string): string {
  const shown = stripVTControlCharacters(line).trimEnd().split("\r").at(-1) ?? "";
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  return shown.replaceAll("\t", "  ").replaceAll(/[\u0000-\u001f\u007f]/g, "");
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
