/** From chunks of output to lines, without the values of secrets. */
import { redactor } from "@lamina/service";

/** A line is cut here; what a terminal would have overwritten (carriage returns) does not count. */
const LONGEST_LINE = 16 * 1024;

export interface LineReader {
  /** The lines that are complete now. */
  take(chunk: Uint8Array): string[];
  /** What is left when the output has ended. */
  end(): string[];
}

/**
 * A reader of one stream of output. Values are looked for in whole lines, so it does not matter how
 * the output was cut into chunks.
 */
export function lineReader(redact: (text: string) => string): LineReader {
  const decoder = new TextDecoder();
  let rest = "";
  return {
    take(chunk) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = (lines.pop() ?? "").slice(0, LONGEST_OPEN_LINE);
      return lines.map((line) => shown(redact(line)));
    },
    end() {
      const line = rest + decoder.decode();
      rest = "";
      return line === "" ? [] : [shown(redact(line))];
    },
  };
}

/** Of a line that does not end no more than this is kept; its end may be half a secret, so only its beginning is shown. */
const LONGEST_OPEN_LINE = 1024 * 1024;

function shown(line: string): string {
  const overwritten = line.length < LONGEST_OPEN_LINE;
  const visible = (overwritten ? line.replace(/\r+$/, "").split("\r").at(-1) : line) ?? "";
  return visible.length > LONGEST_LINE ? `${visible.slice(0, LONGEST_LINE)} … (cut)` : visible;
}

/** The shortest part of a value of several lines that is looked for by itself. */
const SHORTEST_PART = 6;

/**
 * A function that takes the values of secrets out of a line: as they are, as JSON or a URL would
 * write them, and line by line where a value has several.
 */
export function secretRedactor(values: Iterable<string>): (text: string) => string {
  const forms = [...values].flatMap((value) => [
    value,
    ...urlForms(value),
    ...value.split(/\r?\n/).filter((part) => part !== value && part.length >= SHORTEST_PART),
  ]);
  return redactor(forms);
}

function urlForms(value: string): string[] {
  return value.isWellFormed() ? [encodeURIComponent(value), encodeURI(value)] : [];
}
