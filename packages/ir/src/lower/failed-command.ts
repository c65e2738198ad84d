/** Reads what the script of a RUN says on its last line. */

export interface FailedCommand {
  /** Counted from 1. */
  readonly index: number;
  readonly count: number;
  readonly status: number;
  /** As the user wrote it, with its own line breaks; the first 2,000 bytes of it. */
  readonly command: string;
}

/**
 * Finds which command failed in the output of a RUN, given line by line.
 * Undefined when the script did not come to its end: the shell is missing, or it was killed.
 */
export function failedCommand(lines: readonly string[]): FailedCommand | undefined {
  const at = lines.findLastIndex((line) => LAST_LINE.test(line));
  const match = LAST_LINE.exec(lines[at] ?? "");
  if (match === null) return undefined;
  const [, index, count, status, firstLine = ""] = match;
  return { index: Number(index), count: Number(count), status: Number(status), command: [firstLine, ...lines.slice(at + 1)].join("\n") };
}

const LAST_LINE = /^lamina: command (\d+) of (\d+): exit status (\d+): (.*)$/;
