/** Where in the user's file a method of the SDK was called. */
import type { SourceLocation } from "@lamina/api";
import { isAbsolute, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The first frame outside this package, or null when the stack names no file (as in a REPL). */
export function callSite(): SourceLocation | null {
  return callSiteIn(new Error().stack ?? "");
}

/** The first frame of a V8 stack trace that is neither in this package nor in Node itself. */
export function callSiteIn(stack: string): SourceLocation | null {
  for (const line of stack.split("\n")) {
    const location = locationOf(line);
    if (location !== null && !location.file.startsWith(SDK_DIRECTORY)) return location;
  }
  return null;
}

/**
 * The file that has a call in it made when it is loaded: not that of a helper which makes it, but of who calls that at the top of a module.
 * Null as for {@link callSite}.
 */
export function loadedFile(): string | null {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  const { stack = "" } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return loadedFileIn(stack);
}

/** Of a V8 stack trace: the outermost frame of the user's own, up to what loads modules, be that Node or a program such as a test runner. */
export function loadedFileIn(stack: string): string | null {
  let file: string | null = null;
  for (const line of stack.split("\n")) {
    if (/\(?node:internal\/modules\//.test(line)) break;
    const found = locationOf(line)?.file;
    if (found === undefined || found.startsWith(SDK_DIRECTORY)) continue;
    if (!found.includes(`${sep}node_modules${sep}`)) file = found;
    else if (file !== null) break;
  }
  return file;
}

/** The frames of a stack trace that are neither in this package nor in Node itself, one a line. */
export function framesOutside(stack: string): string[] {
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line) && !/\(?node:/.test(line) && locationOf(line)?.file.startsWith(SDK_DIRECTORY) !== true);
}

const SDK_DIRECTORY = import.meta.dirname + sep;

/** A frame is `at function (place:line:column)`, or `at place:line:column` outside any function. */
const FRAME = /^\s+at (?:.*? \((.+):(\d+):(\d+)\)|(?:async )?(.+):(\d+):(\d+))$/;

function locationOf(line: string): SourceLocation | null {
  const match = FRAME.exec(line);
  if (match === null) return null;
  const place = match[1] ?? match[4] ?? "";
  const file = place.startsWith("file:") ? fileURLToPath(place) : place;
  // Others are Node's own modules, the REPL, code without a file.
  if (!isAbsolute(file)) return null;
  return { file, line: Number(match[2] ?? match[5]), column: Number(match[3] ?? match[6]) };
}
