/**
 * What is left out of a copied directory: the patterns of a .dockerignore, with the meaning that BuildKit gives them. A pattern that
 * matches a directory matches all below it, `!` makes an exception, and the last pattern that matches decides.
 */
import { posix } from "node:path";
import { matcherOf, patternFault } from "./ignore-pattern.ts";

export interface Ignoring {
  /** The verdict on a path relative to the directory, given that on the directory above it. */
  verdict(path: string, above: Verdict | undefined): Verdict;
}

export interface Verdict {
  readonly isIgnored: boolean;
  /** Whether nothing below it can be wanted, if it is a directory. */
  readonly isClosed: boolean;
  /** Which of the patterns match it. */
  readonly matched: readonly boolean[];
}

/** Reads patterns as lines of a .dockerignore. @throws RangeError for the first that has an {@link ignoreFault} */
export function ignoringOf(lines: readonly string[]): Ignoring {
  const rules = lines.flatMap(ruleOf);
  const mayExcept = (path: string, after: number): boolean =>
    rules.some(({ isException, pattern }, index) => isException && index > after && reachesBelow(pattern, path));
  return {
    verdict(path, above) {
      let isIgnored = false;
      const matched = rules.map((rule, index) => {
        const isBelow = above?.matched[index] === true;
        // What would change nothing is not looked at, and so does not hold for what is below.
        if (!isBelow && rule.isException !== isIgnored) return false;
        const matches = isBelow || rule.matches(path);
        if (matches) isIgnored = !rule.isException;
        return matches;
      });
      return { isIgnored, isClosed: isIgnored && !mayExcept(path, matched.lastIndexOf(true)), matched };
    },
  };
}

/** What is wrong with a line of a .dockerignore, in words that end a sentence; undefined when nothing is. */
export function ignoreFault(line: string): string | undefined {
  const text = cleaned(line);
  return text === undefined ? undefined : patternFault(text.replace(/^!/, ""));
}

interface Rule {
  readonly isException: boolean;
  readonly pattern: string;
  readonly matches: (path: string) => boolean;
}

function ruleOf(line: string): Rule[] {
  const text = cleaned(line);
  if (text === undefined) return [];
  const isException = text.startsWith("!");
  const pattern = isException ? text.slice(1) : text;
  return [{ isException, pattern, matches: matcherOf(pattern) }];
}

/** A line as a path from the directory, with the `!` that it may begin with; undefined for a comment and an empty line. */
function cleaned(line: string): string | undefined {
  const text = line.trim();
  if (line.startsWith("#") || text === "") return undefined;
  const isException = text.startsWith("!");
  const written = isException ? text.slice(1).trim() : text;
  const path = written === "" ? "" : normal(written).replace(/^\/(?=.)/, "");
  // BuildKit makes it normal once more with the mark in front of it.
  return normal(`${isException ? "!" : ""}${path}`);
}

function normal(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, "");
}

/** Whether a pattern can match something in a directory. */
function reachesBelow(pattern: string, directory: string): boolean {
  const [literal = ""] = pattern.split(/[*?[\\]/, 1);
  if (literal === pattern) return pattern.startsWith(`${directory}/`);
  const base = literal.slice(0, literal.lastIndexOf("/") + 1);
  return `${directory}/`.startsWith(base) || base.startsWith(`${directory}/`);
}
