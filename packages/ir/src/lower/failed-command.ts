/** Reads what the script of a RUN says at its end. */

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

/** Whether the failed command ended the shell with success, as `exit 0` does, so that those after it would have been passed over. */
export function endedShell(lines: readonly string[]): boolean {
  const at = lines.findLastIndex((line) => LAST_LINE.test(line));
  return lines[at - 1]?.startsWith(`${SAID}the shell ended before `) === true;
}

/**
 * Why the script of a step with secrets failed though its commands did not: where values of secrets
 * stayed, or why that could not be found out. Empty when the search is not what failed.
 */
export function failedSearch(lines: readonly string[]): readonly string[] {
  const said = lines.slice(lines.findLastIndex((line) => !line.startsWith(SAID)) + 1);
  return said.some((line) => LAST_LINE.test(line)) ? [] : said.map((line) => line.slice(SAID.length));
}

const SAID = "lamina: ";
const LAST_LINE = /^lamina: command (\d+) of (\d+): exit status (\d+): (.*)$/;
