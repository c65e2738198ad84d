/** Text that fits its place on a terminal. */
import cliTruncate from "cli-truncate";
import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";
import { shownLine } from "./text.ts";

/** Of the last column of a table, to go on below itself. */
const LEAST_ROOM = 24;

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

/** Sentences in lines of at most `columns`, each as far in as it began. A word that is longer stays whole, since it may be copied. */
export function wrappedWords(text: string, columns: number): string {
  return text
    .split("\n")
    .flatMap((line) => {
      if (areIn([line], columns)) return [line];
      const [indentation = ""] = /^ */.exec(line) ?? [];
      const room = columns - indentation.length;
      const parts = room < 1 ? [line.trim()] : wrapAnsi(line.slice(indentation.length), room, { wordWrap: true }).split("\n");
      return parts.map((part) => indentation + part);
    })
    .join("\n");
}

type Rows = readonly (readonly string[])[];

/** The first of these tables that fits into the width of a terminal, else the last, as {@link tableIn} has it. */
export function firstThatFits(tables: readonly Rows[], columns: number | undefined): readonly string[] {
  const drawn = tables.map((rows) => columnsOf(rows));
  return drawn.find((lines) => columns === undefined || areIn(lines, columns)) ?? tableIn(tables.at(-1) ?? [], columns);
}

function areIn(lines: readonly string[], columns: number): boolean {
  return lines.every((line) => stringWidth(line) <= columns);
}

/** A table whose last column goes below its row in each row that does not fit into the width of a terminal. */
export function tableIn(rows: Rows, columns: number | undefined): readonly string[] {
  const whole = columnsOf(rows);
  if (columns === undefined) return whole;
  const begun = columnsOf(rows.map((row) => row.slice(0, -1)));
  return whole.flatMap((line, index) => {
    if (areIn([line], columns)) return [line];
    const below = wrapped(shownLine(rows[index]?.at(-1) ?? ""), columns - 3).map((part) => `  ${part}`);
    return [fit(begun[index] ?? "", columns), ...below];
  });
}

/** A table whose last column goes on below itself where the terminal ends; where that leaves it no room, below its row. */
export function hangingTable(rows: Rows, columns: number | undefined): readonly string[] {
  if (columns === undefined) return columnsOf(rows);
  const beside = columnsOf(rows.map((row) => [...row.slice(0, -1), "│"]));
  const from = stringWidth(beside[0] ?? "") - 1;
  if (columns - from < LEAST_ROOM) return tableIn(rows, columns);
  return rows.flatMap((row, index) =>
    wrapped(shownLine(row.at(-1) ?? ""), columns - from - 1).map((part, line) =>
      `${line === 0 ? (beside[index] ?? "").slice(0, -1) : " ".repeat(from)}${part}`.trimEnd(),
    ),
  );
}

/** A table without colours: a row of texts a line. */
export function columnsOf(given: Rows): string[] {
  const rows = given.map((row) => row.map(shownLine));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => stringWidth(row[column] ?? ""))));
  return rows.map((row) =>
    row
      .map((text, column) => (column === row.length - 1 ? text : cell(text, widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
