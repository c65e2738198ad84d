/** Errors that a user's own file threw while it was imported, with the place in that file and without our frames. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { asLaminaError, badInput, laminaError, type LaminaError, type SourceLocation } from "lamina";
import { BadEnd } from "./guard.ts";

/** What to show for a thing that was thrown; an error of ours stays what it is. */
export async function userError(thrown: unknown, file: string): Promise<LaminaError> {
  const known = asLaminaError(thrown);
  if (known !== undefined) return known;
  if (!(thrown instanceof Error)) return invalid(`${file} threw ${String(thrown)}.`, undefined, thrown);
  if (thrown instanceof BadEnd) return invalid(thrown.message, frameLocation(thrown.stack ?? ""), thrown);
  if (isMissingModule(thrown)) return missingModule(thrown);
  const source = headLocation(thrown.stack ?? "") ?? frameLocation(thrown.stack ?? "") ?? (await syntaxLocation(thrown, file));
  return invalid(`${thrown.name}: ${thrown.message}`, source, thrown);
}

/** The same for what nobody caught, which may be a fault of ours. */
export async function uncaughtError(thrown: unknown, file: string): Promise<LaminaError> {
  const frames = thrown instanceof Error && !(thrown instanceof BadEnd) ? framesOf(thrown.stack ?? "") : [];
  return frames.length > 0 && frames.every(isOurs) ? laminaError(thrown) : userError(thrown, file);
}

function invalid(message: string, source: SourceLocation | undefined, cause: unknown): LaminaError {
  return badInput("failing-file", message, { source, cause });
}

function isMissingModule(error: Error): boolean {
  return "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
}

/** Node says which file asks for it, and not where in that. */
async function missingModule(error: Error): Promise<LaminaError> {
  const message = error.message.replaceAll(/file:\/\/[^\s']+/g, pathOf);
  const [, missing, file] = /^Cannot find (?:module|package) '(.+)' imported from (.+)$/m.exec(message) ?? [];
  if (missing === undefined || file === undefined) return invalid(message, undefined, error);
  const lines = (await textOf(file)).split("\n");
  const places = lines.flatMap((text, index) =>
    [...text.matchAll(/(["'])([^"']+)\1/g)]
      .filter(([, , name = ""]) => (name.startsWith(".") ? resolve(dirname(file), name) === missing : `${name}/`.startsWith(`${missing}/`)))
      .map((match) => ({ file, line: index + 1, column: match.index + 1 })),
  );
  return invalid(message, places[0], error);
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch {
    return "";
  }
}

/** Node puts the place of a syntax error at the head of the stack: `place:line`, and but for the end of the file the line with those before it, and carets below the column. */
function headLocation(stack: string): SourceLocation | undefined {
  const [, place, line, indentation = ""] = /^((?:file:\/\/)?\/.+):(\d+)\n(?:(?:.*\n)+?( *)\^)?/.exec(stack) ?? [];
  if (place === undefined || line === undefined) return undefined;
  return { file: pathOf(place), line: Number(line), column: indentation.length + 1 };
}

/** The first frame that is neither Node's nor ours. */
function frameLocation(stack: string): SourceLocation | undefined {
  return framesOf(stack).find((frame) => !isOurs(frame));
}

/** All frames but Node's. */
function framesOf(stack: string): SourceLocation[] {
  return [...stack.matchAll(/^\s+at (?:async )?(?:.*? \()?((?:file:\/\/)?\/.+?):(\d+):(\d+)\)?$/gm)].map(
    ([, place = "", line, column]) => ({
      file: pathOf(place),
      line: Number(line),
      column: Number(column),
    }),
  );
}

function isOurs({ file }: SourceLocation): boolean {
  return file.startsWith(dirname(import.meta.dirname));
}

/** Node tells the place of a syntax error in JavaScript only to who starts it with the file. */
async function syntaxLocation(error: Error, file: string): Promise<SourceLocation | undefined> {
  if (!(error instanceof SyntaxError)) return undefined;
  const check = spawn(process.execPath, ["--check", file], { stdio: ["ignore", "ignore", "pipe"] });
  return headLocation(await text(check.stderr));
}

function pathOf(place: string): string {
  return place.startsWith("file:") ? fileURLToPath(place) : place;
}
