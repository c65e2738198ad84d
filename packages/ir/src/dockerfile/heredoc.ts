/** Words such as `<<EOF`, by which BuildKit knows that the lines after an instruction belong to it. */
import { splitterAtSpace } from "./words.ts";

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

/** Space after `<<` is part of the word. */
const wordsOf = splitterAtSpace(String.raw`<<[ \t\r\n]*`);
