/** Words such as `<<EOF`, by which BuildKit knows that the lines after an instruction belong to it. */
import { SPACE } from "./space.ts";

export interface HeredocWord {
  /** The line that ends it. */
  readonly delimiter: string;
  /** `<<-`: tabs at the beginning of its lines do not count. */
  readonly chomps: boolean;
  /** Whether COPY and ADD expand variables in it: where no part of its word is quoted. */
  readonly expands: boolean;
}

/** The heredocs that a line announces, in order. A line whose quotes do not match announces none. */
export function heredocsIn(line: string): HeredocWord[] {
  if (!line.includes("<<")) return [];
  return (wordsOf(line) ?? []).flatMap((word) => heredocWord(word) ?? []);
}

/** What one word announces. */
export function heredocWord(word: string): HeredocWord | undefined {
  const [, dash, written] = /^\d*<<(-?)\s*([^<]+)$/.exec(word) ?? [];
  if (written === undefined || wordsOf(written)?.length !== 1) return undefined;
  const delimiter = (written.match(/\\.|'[^']*'|"(?:\\.|[^"\\])*"|./gs) ?? []).map(unquoted).join("");
  return { delimiter, chomps: dash === "-", expands: !/['"]/.test(written) };
}

function unquoted(part: string): string {
  if (part.startsWith("\\")) return part.slice(1);
  if (part.startsWith('"') && part.length > 1) return part.slice(1, -1).replaceAll(/\\(["$\\])/g, "$1");
  return part.startsWith("'") && part.length > 1 ? part.slice(1, -1) : part;
}

/** Splits at space outside quotes, which stay. Space after `<<` is part of the word. Undefined where a quote is open. */
function wordsOf(line: string): string[] | undefined {
  const words = line.match(WORD) ?? [];
  return words.every((word) => WHOLE_WORD.test(word)) ? words : undefined;
}

const PART = String.raw`<<[ \t\r\n]*|\\.|\\$|'[^']*'|"(?:\\.|[^"\\])*"|[^${SPACE}'"\\<]|<`;
const WORD = new RegExp(`(?:${PART}|['"].*)+`, "gsu");
const WHOLE_WORD = new RegExp(`^(?:${PART})+$`, "su");
