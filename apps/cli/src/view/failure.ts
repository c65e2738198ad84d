/** An error as people read it: what happened, where in their file, and the last that was said. */
import type { Colors } from "../output.ts";
import type { ErrorInfo, SourceLocation } from "lamina";
import { fit, wrapped } from "./columns.ts";
import { plainLine, shownLine, shownSource } from "./text.ts";

/** Lines of the user's file that are shown before the one that is meant. */
const LINES_BEFORE = 2;
/** Columns of a quoted line that are neither its number nor its text, and the last one, which stays free. */
const GUTTER_BESIDE_NUMBER = 8;

/** Of a quoted line where there is no terminal: a file may be one line. */
const LONGEST_QUOTE = 160;

/** Of what stands before a line of output, and the last column, which stays free. */
const RULE_WIDTH = 7;

export interface FailureContext {
  readonly colors: Colors;
  /** The width of the terminal, for what is cut or wrapped. */
  readonly columns?: number | undefined;
  /** The layer that it concerns, such as "layer 3 (runCommands)". */
  readonly layer?: string | undefined;
  /** The user's file, where it could be read. */
  readonly sourceText?: string | undefined;
}

export function failureLines(info: ErrorInfo, { colors, columns = Number.POSITIVE_INFINITY, layer, sourceText }: FailureContext): string[] {
  const stack = stackOf(info);
  const lines = stack ?? (info.lastLines ?? []).filter((line) => !isCommandSaid(line, info));
  // What was asked for is no mistake.
  const paint = info.code === "CANCELLED" ? colors.magenta : colors.red;
  return [
    ...hanging(`${paint(colors.bold(`${info.code}:`))} ${shownLines(info.message)}`, columns),
    ...(layer === undefined ? [] : [`  layer      ${layer}`]),
    ...(info.command === undefined || isSaid(info.command, info.message) ? [] : withRule("  command    ", info.command, columns)),
    ...(info.exitCode === undefined || info.message.includes(`exited with ${info.exitCode}.`) ? [] : [`  exit code  ${info.exitCode}`]),
    ...(info.source === undefined ? [] : sourceLines(info.source, sourceText, { colors, columns })),
    ...(lines.length === 0 ? [] : [stack === undefined ? "  last lines" : "  stack"]),
    ...lines.flatMap((line) => ruled(plainLine(line), { colors, columns })),
  ];
}

/** What does not fit goes on below, further in. */
function hanging(text: string, columns: number): string[] {
  const indented = (line: string) => wrapped(line, columns - 3).map((part, index) => (index === 0 ? part : `  ${part}`));
  return text.split("\n").flatMap(indented);
}

/** Errors that may be about an exception: of a call, or of what sets its function up. */
const OF_EXCEPTIONS: readonly ErrorInfo["code"][] = ["CALL_FAILED", "FUNCTION_BROKEN"];

/** Where an exception came from: its stack has its message at the beginning, that of Python at the end, and is not to say it again. */
function stackOf({ code, message, lastLines = [] }: ErrorInfo): readonly string[] | undefined {
  if (!OF_EXCEPTIONS.includes(code)) return undefined;
  const said = message.split("\n");
  // The platform may have said something before it.
  const isAt = (from: number) =>
    from >= 0 && said.every((line, index) => lastLines[from + index] === line || (index === 0 && line.endsWith(`: ${lastLines[from]}`)));
  if (isAt(0)) return lastLines.slice(said.length);
  return isAt(lastLines.length - said.length) ? lastLines.slice(0, -said.length) : lastLines;
}

/** A step says each command before it runs; that which failed is named already. */
function isCommandSaid(line: string, { command }: ErrorInfo): boolean {
  return command !== undefined && /^\[\d+\/\d+\] (.*)$/.exec(line)?.[1] === command;
}

function shownLines(text: string): string {
  return text.split("\n").map(shownLine).join("\n");
}

function ruled(line: string, { colors, columns }: Required<Pick<FailureContext, "colors" | "columns">>): string[] {
  return wrapped(line, columns - RULE_WIDTH).map((part) => `    ${colors.dim("│")} ${part}`);
}

/** A message has a command with single blanks. */
function isSaid(command: string, message: string): boolean {
  return !command.includes("\n") && message.includes(command.replaceAll(/\s+/g, " "));
}

/** A command of several lines keeps them, one below the other. */
function withRule(label: string, command: string, columns: number): string[] {
  const lines = command.split("\n").flatMap((line) => wrapped(shownLine(line), columns - label.length - 1));
  return lines.map((line, index) => `${index === 0 ? label : " ".repeat(label.length)}${line}`);
}

function sourceLines(
  { file, line, column }: SourceLocation,
  sourceText: string | undefined,
  { colors, columns }: Required<Pick<FailureContext, "colors" | "columns">>,
): string[] {
  const place = `  at         ${colors.bold(`${shownLine(file)}:${line}:${column}`)}`;
  const lines = sourceText?.split("\n").map(shownSource);
  const meant = lines?.[line - 1];
  if (lines === undefined || meant === undefined) return [place];
  const first = Math.max(1, line - LINES_BEFORE);
  const gutter = String(line).length;
  const room = Math.min(LONGEST_QUOTE, columns - gutter - GUTTER_BESIDE_NUMBER);
  const quote = (text: string) => fit(text, room);
  // Of long lines the part is shown that the column is in.
  const from = column < room ? 0 : column - 1 - Math.floor(room / 2);
  const quoted = lines.slice(first - 1, line).map((whole, index) => {
    const text = quote(from === 0 ? whole : `…${whole.slice(from + 1)}`);
    const number = String(first + index).padStart(gutter);
    return first + index === line ? `  ${colors.red(">")} ${number} ${colors.dim("│")} ${text}` : colors.dim(`    ${number} │ ${text}`);
  });
  // Tabs before the column stay tabs, so that the mark stands below it.
  const indentation = meant.slice(from, column - 1).replaceAll(/[^\t]/g, " ");
  return [place, ...quoted, `    ${" ".repeat(gutter)} ${colors.dim("│")} ${indentation}${colors.red("^")}`];
}
