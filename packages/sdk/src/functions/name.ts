/** The name of a function that has none: that of the variable which it is assigned to where it is made. */
import type { SourceLocation } from "@lamina/api";
import { readFileSync } from "node:fs";

/** What is in front of the method's name in `const NAME: Type = app.function(`. */
const ASSIGNED = /(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*(?::[^;=]*)?=\s*(?:[\w$.\s]|\(|\))*$/;
/** No declaration is longer. */
const CHARACTERS_BEFORE = 400;

const METHOD = /^(function|cls)\b/;

/** The variable that the result of the call there is assigned to, where that can be seen. */
export function variableAt(source: SourceLocation): string | undefined {
  let text: string;
  try {
    text = readFileSync(source.file, "utf8");
  } catch {
    // Code that is in no file, such as what a bundler made up, has to name its functions.
    return undefined;
  }
  const offset = offsetOf(text, source);
  return offset === undefined ? undefined : ASSIGNED.exec(text.slice(Math.max(0, offset - CHARACTERS_BEFORE), offset))?.[1];
}

/**
 * Where in the text the method's name stands in the call of `function` or `cls` there. V8 means the name itself by the place of a call, but
 * what follows a name that is a keyword.
 */
export function offsetOf(text: string, { line, column }: SourceLocation): number | undefined {
  let start = 0;
  for (let at = 1; at < line; at += 1) {
    const end = text.indexOf("\n", start);
    if (end === -1) return undefined;
    start = end + 1;
  }
  const offset = start + column - 1;
  if (METHOD.test(text.slice(offset, offset + 10))) return offset;
  const before = text.lastIndexOf("function", offset);
  return before !== -1 && /^function\s*(<[^]*>)?\s*$/.test(text.slice(before, offset)) ? before : undefined;
}
