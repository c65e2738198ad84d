/**
 * How values are written so that the Dockerfile and the shell read back exactly what was meant.
 * BuildKit refuses lines of more than 65,535 bytes, so long values are spread over several.
 */
import { NEWLINE_ARGUMENT } from "./reserved.ts";

const LONGEST_LINE = 60_000;

/** Words of these characters alone mean themselves in every shell. */
const PLAIN = /^[A-Za-z0-9_.,:/@%+=-]+$/;

/** A value as one word of ENV, WORKDIR or USER, in double quotes. A newline becomes a reference to {@link NEWLINE_ARGUMENT}. */
export function dockerWord(value: string): string {
  const newline = `\${${NEWLINE_ARGUMENT}:?must be a newline}`;
  const pieces = Array.from(value, (character) => (character === "\n" ? newline : character.replace(/[\\"$]/, "\\$&")));
  return quotedLines(pieces, '"');
}

/** A path as one string of COPY's JSON form. */
export function copyPath(path: string): string {
  return JSON.stringify(path.replace(/[\\"$']/g, "\\$&"));
}

/** An argument of a command: quoted where a shell would see more in it than plain text. */
export function shellArgument(value: string): string {
  return PLAIN.test(value) ? value : shellWord(value);
}

/** A value as one word of a POSIX shell, in single quotes. */
export function shellWord(value: string): string {
  return quotedLines(
    Array.from(value, (character) => (character === "'" ? "'\\''" : character)),
    "'",
  );
}

/** A heredoc delimiter that is no line of the text. */
export function delimiterFor(text: string, word: string): string {
  const lines = new Set(text.split("\n").map((line) => line.trim()));
  let delimiter = word;
  for (let n = 2; lines.has(delimiter); n++) delimiter = `${word}_${n}`;
  return delimiter;
}

/** Joins the pieces within quotes; where a line would grow too long, closes them, continues on the next line, and opens them again. */
function quotedLines(pieces: readonly string[], quote: string): string {
  let text = quote;
  let length = 0;
  for (const piece of pieces) {
    const bytes = Buffer.byteLength(piece);
    if (length + bytes > LONGEST_LINE) {
      text += `${quote}\\\n${quote}`;
      length = 0;
    }
    text += piece;
    length = piece === "\n" ? 0 : length + bytes;
  }
  return text + quote;
}
