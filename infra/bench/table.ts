/** The results as a table, and its place in the README. */
import type { Case, Goal } from "./case.ts";
import type { Verdict } from "./measure.ts";

export interface Result {
  readonly compared: Pick<Case, "what" | "ours" | "peer" | "goal">;
  readonly verdict: Verdict;
}

/** In Markdown, laid out as the formatter does it. */
export function tableOf(results: readonly Result[]): string {
  const rows = results.map(({ compared: { what, ours, peer, goal }, verdict }) => [
    what,
    `${ours}: ${time(verdict.ours)}`,
    `${peer}: ${time(verdict.peer)}`,
    valueOf(verdict.value, goal),
    `≤ ${goalOf(goal)}${verdict.met ? "" : ", missed"}`,
  ]);
  const widths = HEADER.map((name, column) => Math.max(...[name, ...rows.map((row) => row[column] ?? "")].map(({ length }) => length)));
  const all = [HEADER, widths.map((width) => "-".repeat(width)), ...rows];
  return all.map((cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`).join("\n");
}

const HEADER = ["case", "Lamina", "beside it", "measured", "goal"];

/** The value that the goal is about, in its unit. */
export function valueOf(value: number, goal: Goal): string {
  return goal.kind === "ratio" ? `${value.toFixed(2)} ×` : `${value >= 0 ? "+" : "−"}${time(Math.abs(value))}`;
}

/** Milliseconds for people. */
export function time(milliseconds: number): string {
  if (milliseconds >= 1_000) return `${(milliseconds / 1_000).toFixed(2)} s`;
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

const BEGIN = "<!-- bench: written by `npm run bench` -->";
const END = "<!-- bench: end -->";

/** A text with everything between the two markers replaced. @throws when it has none */
export function withBenchmarks(text: string, benchmarks: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`The README has no place for the table, which is between ${BEGIN} and ${END}.`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${benchmarks}\n\n${text.slice(end)}`;
}

function goalOf(goal: Goal): string {
  return goal.kind === "ratio" ? `${goal.atMost} ×` : `+${goal.atMostMs} ms`;
}
