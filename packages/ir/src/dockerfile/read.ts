/**
 * Reads instructions of a Dockerfile as BuildKit's parser does: comments, lines that go on, flags, the
 * JSON form, heredocs. It takes less: what would end otherwise than it looks (a backslash at the end, an
 * open heredoc), or would not be read as an instruction at all, is an error with its place.
 */
import { FragmentError, type Place } from "./fragment-error.ts";
import { type Flag, splitFlags } from "./flags.ts";
import { heredocsIn, type HeredocWord } from "./heredoc.ts";
import { trimSpace } from "./space.ts";

export interface Heredoc extends HeredocWord {
  /** As it stands, each line with its line break. */
  readonly content: string;
}

export interface Instruction {
  readonly place: Place;
  /** In capitals, such as `RUN`. */
  readonly keyword: string;
  readonly flags: readonly Flag[];
  /** What follows the flags, its lines joined, without space at its ends. */
  readonly rest: string;
  /** What follows the flags, where it is a JSON list of strings. */
  readonly json: readonly string[] | undefined;
  readonly heredocs: readonly Heredoc[];
}

/** The instructions of all commands, in order. @throws {FragmentError} */
export function readInstructions(commands: readonly string[]): Instruction[] {
  return commands.flatMap((text, index) => {
    const instructions = readCommand(linesOf(text), index + 1);
    if (instructions.length === 0) throw new FragmentError({ command: index + 1, line: 1 }, "it holds no instruction");
    return instructions;
  });
}

/** Instructions that may have a heredoc. */
const TAKES_HEREDOCS = new Set(["RUN", "COPY", "ADD"]);
const DIRECTIVE = /^#\s*(escape|syntax|check)\s*=/i;
export const CONTINUED = /(?:([^\\])|^)\\[ \t]*$/;

interface Lines {
  /** The next line without its line break, or undefined at the end. */
  next(): string | undefined;
  /** The number of the line that was taken last, counted from 1. */
  readonly number: number;
}

function linesOf(text: string): Lines {
  const lines = text.split("\n");
  let taken = 0;
  return {
    next: () => lines[taken++],
    get number() {
      return taken;
    },
  };
}

function readCommand(lines: Lines, command: number): Instruction[] {
  const instructions: Instruction[] = [];
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const place = { command, line: lines.number };
    if (isBlank(line, place)) continue;
    instructions.push(readInstruction(joinLines(line, { lines, place }), { lines, place }));
  }
  return instructions;
}

/** @throws {FragmentError} for a comment that a Dockerfile would have at its head as a directive */
function isBlank(line: string, place: Place): boolean {
  const text = trimSpace(line);
  const [, directive] = DIRECTIVE.exec(text) ?? [];
  if (directive !== undefined) {
    throw new FragmentError(place, `"# ${directive}=" holds for a whole Dockerfile, and would be a mere comment here: leave it out`);
  }
  return text === "" || text.startsWith("#");
}

interface Reading {
  readonly lines: Lines;
  readonly place: Place;
}

/** A line with those that it goes on in. Comments and empty lines among them do not count. */
function joinLines(first: string, { lines, place }: Reading): string {
  let joined = "";
  for (let line = withoutReturn(first); ;) {
    if (!CONTINUED.test(line)) return joined + line;
    joined += line.replace(CONTINUED, "$1");
    const at = { command: place.command, line: lines.number };
    let next = lines.next();
    while (next !== undefined && isBlank(next, { ...at, line: lines.number })) next = lines.next();
    if (next === undefined) {
      const message = "a backslash at the end makes the instruction go on, and nothing follows: take it out";
      throw new FragmentError(at, message, "open-instruction");
    }
    line = withoutReturn(next);
  }
}

function withoutReturn(line: string): string {
  return line.replace(/\r+$/, "");
}

function readInstruction(line: string, { lines, place }: Reading): Instruction {
  const text = trimSpace(line);
  const keyword = /^[^\t\v\f\r ]+/.exec(text)?.[0] ?? "";
  const { flags, rest } = splitFlags(text.slice(keyword.length));
  const json = jsonStrings(rest);
  const words = TAKES_HEREDOCS.has(keyword.toUpperCase()) && json === undefined ? heredocsIn(text) : [];
  const heredocs = words.map((word) => ({ ...word, content: readHeredoc(word, { lines, place }) }));
  return { place, keyword: keyword.toUpperCase(), flags, rest, json, heredocs };
}

function jsonStrings(text: string): string[] | undefined {
  const list = jsonList(text);
  return list?.every((part) => typeof part === "string") === true ? list : undefined;
}

/** Whether it is a JSON list, of whatever. */
export function isList(text: string): boolean {
  return jsonList(text) !== undefined;
}

function jsonList(text: string): unknown[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readHeredoc({ delimiter, chomps }: HeredocWord, { lines, place }: Reading): string {
  let content = "";
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const end = withoutReturn(line);
    if ((chomps ? end.replace(/^\t+/, "") : end) === delimiter) return content;
    content += `${line}\n`;
  }
  throw new FragmentError(place, `the heredoc <<${delimiter} is open: no line after it is "${delimiter}" alone`, "open-heredoc");
}
