/** Text that fits its place on a terminal. */
import cliTruncate from "cli-truncate";
import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";
import { shownLine } from "./text.ts";

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

/** A line of text in lines of at most `width` columns, broken between words where it can be. */
export function wrapped(text: string, width: number): string[] {
  if (width < 1 || width === Number.POSITIVE_INFINITY) return [text];
  const [first = "", ...others] = wrapAnsi(text, width, { hard: true, trim: false }).split("\n");
  return [first.trimEnd(), ...others.map((part) => part.trim())];
}

/** The first of these tables that fits into the width of a terminal, else the last. */
export function firstThatFits(tables: readonly (readonly string[])[], columns: number | undefined): readonly string[] {
  return tables.find((lines) => columns === undefined || lines.every((line) => stringWidth(line) <= columns)) ?? tables.at(-1) ?? [];
}

/** A table whose last column, where it does not fit into the width of a terminal, goes below its row. */
export function tableIn(rows: readonly (readonly string[])[], columns: number | undefined): readonly string[] {
  const whole = columnsOf(rows);
  if (columns === undefined || whole.every((line) => stringWidth(line) <= columns)) return whole;
  return columnsOf(rows.map((row) => row.slice(0, -1))).flatMap((line, index) => [
    fit(line, columns),
    ...wrapped(shownLine(rows[index]?.at(-1) ?? ""), columns - 3).map((part) => `  ${part}`),
  ]);
}

/** A table without colours: a row of texts a line. */
export function columnsOf(given: readonly (readonly string[])[]): string[] {
  const rows = given.map((row) => row.map(shownLine));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => stringWidth(row[column] ?? ""))));
  return rows.map((row) =>
    row
      .map((text, column) => (column === row.length - 1 ? text : cell(text, widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
