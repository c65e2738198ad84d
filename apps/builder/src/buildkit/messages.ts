/**
 * What BuildKit and runc say in English, where no code tells it. All that depends on their wording is here, so that a new version of
 * BuildKit is held against one table.
 */
const TEXTS = {
  /** The lines of the Dockerfile that buildctl shows before an error: those of our wrapper, and so many that the error itself would be cut off. */
  excerpt: /^\S+:\d+\n-{20}\n[^]*\n-{20}\n/,
  line: /^\S+:(\d+)\n-{20}\n|dockerfile parse error on line (\d+): /,
  /** The whole script of a step stands in it. */
  process: /^process "(?:\\[^]|[^"\\])*" did not complete successfully: /,
  prefix: /^error: (failed to solve: )?/,
  /** How gRPC says that the server went away. */
  lost: /(?:^|: )Unavailable: |code = Unavailable|transport is closing|error reading from server|\bEOF$/,
  pushFailed: /^failed to push /,
  sourceFailed: /failed to resolve source metadata for/,
  sourceCause: /failed to resolve source metadata for \S+: (?:failed to do request: [A-Z][a-z]+ "[^"]*": )?([^]*)$/,
  sourceMissing: /failed to resolve source metadata for \S+: (?:.*: )?not found$/,
  /** A registry with a token server is asked for a token before anything else. */
  sourceRefused: /failed to (?:resolve source metadata for|fetch (?:oauth|anonymous) token:) .*: 40[13] /,
  exitCode: /did not complete successfully: exit code: (\d+)/,
  /** Files of a context are staged under `t/`. */
  noFile: /"\/(?:t\/?)?([^"]*)": not found$/,
  noUser: /unable to find (?:user|group) \S+: no matching entries in \S+ file|no matching entries in (?:passwd|group) file/,
  argument: /^ARG ([^=\s]+)=([^]*)$/,
  /** It shows a path of its own machine; the part after its mount is the image's. */
  collision: /cannot (?:replace|copy) to (directory|non-directory):? .*\/buildkit\d+(\/\S*)/,
  /** Of a directory that has to be made, on the way to a file or for a WORKDIR. */
  fileInTheWay: /^mkdir (\/[^]*): not a directory$/,
  noShell: /runc run failed: .*exec: "([^"]+)": (?:stat \S+: no such file|executable file not found)/,
} as const;

/** The error in what buildctl printed. */
export function errorIn(output: string): string {
  return output.trim().replace(TEXTS.excerpt, "").replace(TEXTS.prefix, "");
}

/** The line of the Dockerfile that it is about, counted from 1. */
export function lineIn(output: string): number | undefined {
  const [, shown, named = shown] = TEXTS.line.exec(output.trim()) ?? [];
  return named === undefined ? undefined : Number(named);
}

/** The error of a step without the script that it ran. */
export function withoutScript(error: string): string {
  return error.replace(TEXTS.process, "");
}

/** Whether the connection to BuildKit went away. What a registry answers to a push may look alike, and is not that. */
export function isLostConnection(error: string): boolean {
  return TEXTS.lost.test(error) && !isFailedPush(error);
}

/** Whether a registry did not take an image. */
export function isFailedPush(error: string): boolean {
  return TEXTS.pushFailed.test(error);
}

/** Whether the image to start from could not be had, for whatever reason. */
export function isFailedSource(error: string): boolean {
  return TEXTS.sourceFailed.test(error);
}

/** Why it could not be had, without the name that comes before it twice or more. */
export function sourceCause(error: string): string {
  return TEXTS.sourceCause.exec(error)?.[1] ?? error;
}

/** Whether its registry answers that it does not have the image to start from. */
export function isMissingSource(error: string): boolean {
  return TEXTS.sourceMissing.test(error);
}

/** Whether its registry does not let the image to start from be read. */
export function isRefusedSource(error: string): boolean {
  return TEXTS.sourceRefused.test(error);
}

/** The status with which the command of a step ended. */
export function exitCodeIn(error: string): number | undefined {
  const code = TEXTS.exitCode.exec(error)?.[1];
  return code === undefined ? undefined : Number(code);
}

export interface Collision {
  /** The path in the image. */
  readonly path: string;
  /** What lies there; the other comes. */
  readonly there: "file" | "directory";
}

/** A copy of a file onto a directory, or the other way round. */
export function collisionIn(error: string): Collision | undefined {
  const inTheWay = TEXTS.fileInTheWay.exec(error)?.[1];
  if (inTheWay !== undefined) return { path: inTheWay, there: "file" };
  const found = TEXTS.collision.exec(error);
  if (found === null) return undefined;
  return { path: found[2] ?? "", there: found[1] === "non-directory" ? "file" : "directory" };
}

/** The shell that a step wants and its image lacks, from the output of the step. */
export function missingShellIn(output: readonly string[]): string | undefined {
  return TEXTS.noShell.exec(output.join("\n"))?.[1];
}

/** The file that a COPY or a mount takes and that is not there, as its path in the context or image. */
export function missingFileIn(error: string): string | undefined {
  return TEXTS.noFile.exec(error)?.[1];
}

/** Whether a step cannot begin because its user is not one of the image. */
export function isMissingUser(error: string): boolean {
  return TEXTS.noUser.test(error);
}

/** The name and value of a build argument, from what an image says of a step of its making. */
export function argumentIn(history: string): readonly [name: string, value: string] | undefined {
  const [, name, value] = TEXTS.argument.exec(history) ?? [];
  return name === undefined || value === undefined ? undefined : [name, value];
}
