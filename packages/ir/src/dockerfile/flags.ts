/** The flags of an instruction, such as `--mount=type=tmpfs,target=/x`. */
import { trimSpace } from "./space.ts";

export interface Flag {
  readonly name: string;
  /** Undefined without `=`. */
  readonly value: string | undefined;
}

/** Takes the flags off what follows a keyword. Quotes and backslashes in them have done their work. */
export function splitFlags(text: string): { readonly flags: readonly Flag[]; readonly rest: string } {
  const flags: Flag[] = [];
  let rest = withoutSpaceBefore(text);
  while (rest.startsWith("--")) {
    const { word, length } = firstWord(rest);
    rest = withoutSpaceBefore(rest.slice(length));
    if (word === "--") break;
    const equals = word.indexOf("=");
    flags.push(equals === -1 ? { name: word.slice(2), value: undefined } : { name: word.slice(2, equals), value: word.slice(equals + 1) });
  }
  return { flags, rest: trimSpace(rest) };
}

/** A flag as it is written for BuildKit to read back. */
export function writtenFlag({ name, value }: Flag): string {
  if (value === undefined) return `--${name}`;
  return PLAIN.test(value) ? `--${name}=${value}` : `--${name}="${value.replace(/[\\"]/g, "\\$&")}"`;
}

/** What is space to BuildKit here, where it reads byte by byte. */
const SPACE_BYTE = /[\t\n\v\f\r ]/;

function withoutSpaceBefore(text: string): string {
  return text.replace(/^[\t\n\v\f\r ]+/, "");
}

const PLAIN = /^[^\s'"\\]*$/;

function firstWord(text: string): { readonly word: string; readonly length: number } {
  let word = "";
  let quote = "";
  let at = 0;
  for (; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === "\\") word += text[++at] ?? "";
    else if (quote !== "") {
      if (character === quote) quote = "";
      else word += character;
    } else if (character === "'" || character === '"') quote = character;
    else if (SPACE_BYTE.test(character)) break;
    else word += character;
  }
  return { word, length: at };
}
