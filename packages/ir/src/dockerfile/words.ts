/** Words of ENV, ARG and their like, and the variables in them. */
import { SPACE } from "./space.ts";

const PART = String.raw`\\.|\\$|'[^']*'|"(?:\\.|[^"\\])*"|[^${SPACE}'"\\]`;

/** Splits at space outside quotes, which stay. Undefined where a quote is open. */
export const splitWords = splitterAtSpace();

/** A splitter to which space is part of a word also within what `joined`, a regular expression, matches. */
export function splitterAtSpace(...joined: readonly string[]): (text: string) => string[] | undefined {
  const pattern = new RegExp(`(?:${[...joined, PART].join("|")}|(?<open>['"].*))+`, "gsu");
  return (text) => {
    const words = Array.from(text.matchAll(pattern));
    return words.some(({ groups }) => groups?.["open"] !== undefined) ? undefined : words.map(([word]) => word);
  };
}

/** Splits at space, whatever is quoted, as COPY, VOLUME and EXPOSE do. */
export function splitAtSpace(text: string): string[] {
  return text.split(/[\t\v\f\r ]+/);
}

/** A word as it is when its quotes and backslashes have done their work. */
export function withoutQuotes(word: string): string {
  return word.replaceAll(/\\(.)|["']/gs, "$1");
}

/** The names of the variables that are expanded in a text, each once. */
export function variablesIn(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(VARIABLE), ([, name]) => name ?? ""))];
}

/** An expansion that BuildKit does not know, such as `${NAME^^}`; what is quoted or escaped is none. */
export function unknownExpansion(text: string): string | undefined {
  return expansionsIn(text).find((expansion) => !KNOWN_EXPANSION.test(expansion));
}

/** The expansions that fail where their variable has no value, `${NAME?…}`, or an empty one, `${NAME:?…}`. */
export function requiredVariables(text: string): { readonly text: string; readonly name: string; readonly mayBeEmpty: boolean }[] {
  return expansionsIn(text).flatMap((expansion) => {
    const [, name, colon] = /^\$\{(\w+)(:?)\?/.exec(expansion) ?? [];
    return name === undefined ? [] : [{ text: expansion, name, mayBeEmpty: colon === "" }];
  });
}

function expansionsIn(text: string): string[] {
  const expanded = (text.match(TOKEN) ?? []).filter((token) => !/^[\\']/.test(token)).join("");
  return Array.from(expanded.matchAll(EXPANSION), ([expansion]) => expansion);
}

const VARIABLE = /(?<!\\)\$\{?([A-Za-z_][A-Za-z0-9_]*)/g;
const TOKEN = /\\.|'[^']*'|"|[^\\'"]+|[^]/gsu;
const EXPANSION = /\$\{[^}]*\}?/g;
const KNOWN_EXPANSION = /^\$\{(?:\w+|[@*#?$!-])(?:\}|:?[-+?]|[#%/])/;
