/** Text that fits its place on a terminal. */
import cliTruncate from "cli-truncate";
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

export function columnsOf(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => stringWidth(row[column] ?? ""))));
  return rows.map((row) =>
    row
      .map((text, column) => (column === row.length - 1 ? text : cell(text, widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
