/** An error as people read it: what happened, where in their file, and the last that was said. */
import type { Colors } from "../output.ts";
import type { ErrorInfo, SourceLocation } from "lamina";
import { plainLine } from "./text.ts";

/** Lines of the user's file that are shown before the one that is meant. */
const LINES_BEFORE = 2;

export interface FailureContext {
  readonly colors: Colors;
  /** The layer that it concerns, such as "layer 3 (runCommands)". */
  readonly layer?: string | undefined;
  /** The user's file, where it could be read. */
  readonly sourceText?: string | undefined;
}

export function failureLines(info: ErrorInfo, { colors, layer, sourceText }: FailureContext): string[] {
  const [headline = "", ...more] = info.message.split("\n");
  return [
    `${colors.red(colors.bold(`${info.code}:`))} ${headline}`,
    ...more,
    ...(layer === undefined ? [] : [`  layer      ${layer}`]),
    ...(info.command === undefined ? [] : withRule("  command    ", info.command)),
    ...(info.exitCode === undefined ? [] : [`  exit code  ${info.exitCode}`]),
    ...(info.source === undefined ? [] : sourceLines(info.source, sourceText, colors)),
    ...(info.lastLines === undefined || info.lastLines.length === 0 ? [] : ["  last lines", ...info.lastLines.map((line) => `    ${colors.dim("│")} ${plainLine(line)}`)]),
  ];
}

/** A command of several lines keeps them, one below the other. */
function withRule(label: string, command: string): string[] {
  return command.split("\n").map((line, index) => `${index === 0 ? label : " ".repeat(label.length)}${line}`);
}

function sourceLines({ file, line, column }: SourceLocation, sourceText: string | undefined, colors: Colors): string[] {
  const place = `  at         ${colors.cyan(`${file}:${line}:${column}`)}`;
  const lines = sourceText?.split("\n");
  const meant = lines?.[line - 1];
  if (lines === undefined || meant === undefined) return [place];
  const first = Math.max(1, line - LINES_BEFORE);
  const gutter = String(line).length;
  const quoted = lines.slice(first - 1, line).map((text, index) => {
    const number = String(first + index).padStart(gutter);
    return first + index === line ? `  ${colors.red(">")} ${number} ${colors.dim("│")} ${text}` : colors.dim(`    ${number} │ ${text}`);
  });
  // Tabs before the column stay tabs, so that the mark stands below it.
  const indentation = meant.slice(0, column - 1).replaceAll(/[^\t]/g, " ");
  return [place, ...quoted, `    ${" ".repeat(gutter)} ${colors.dim("│")} ${indentation}${colors.red("^")}`];
}
