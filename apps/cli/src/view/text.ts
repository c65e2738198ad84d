/** Text that fits its place on a terminal. */
import { stripVTControlCharacters } from "node:util";
import cliTruncate from "cli-truncate";
import prettyBytes from "pretty-bytes";
import prettyMilliseconds from "pretty-ms";
import stringWidth from "string-width";

/** The text in exactly `width` columns: cut with an ellipsis, or padded on the right. */
export function cell(text: string, width: number): string {
  const cut = fit(text, width);
  return cut + " ".repeat(width - stringWidth(cut));
}

/** The text in exactly `width` columns, padded on the left. */
export function cellRight(text: string, width: number): string {
  const cut = fit(text, width);
  return " ".repeat(width - stringWidth(cut)) + cut;
}

/** The text in at most `width` columns. */
export function fit(text: string, width: number): string {
  return width < 1 ? "" : cliTruncate(text, width);
}

/** One line of a program's output without what moves the cursor: what a progress bar overwrote is left out. */
export function plainLine(line: string): string {
  const shown = stripVTControlCharacters(line).trimEnd().split("\r").at(-1) ?? "";
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  return shown.replaceAll("\t", "  ").replaceAll(/[\u0000-\u001f\u007f]/g, "");
}

export function bytesText(bytes: number | undefined): string {
  return bytes === undefined ? "" : prettyBytes(bytes);
}

/** "350ms", "2.8s", "1m 4s". */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)}ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)}s`;
  return prettyMilliseconds(milliseconds, { secondsDecimalDigits: 0 });
}

export function columnsOf(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => stringWidth(row[column] ?? ""))));
  return rows.map((row) =>
    row
      .map((text, column) => (column === row.length - 1 ? text : cell(text, widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
