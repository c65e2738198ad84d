/** Finds what is wrong with the path in the image that a step names. */
import type { Fault } from "./definition-error.ts";
import type { ResolvedStep, StepOperation } from "./operation.ts";

type Step = StepOperation | ResolvedStep;

const LONGEST_PATH = 4095;
const LONGEST_FILE_NAME = 255;

/**
 * What is wrong with where a step copies to or works, if it does either.
 * @param isResolved lets control characters pass, since the Dockerfiles of a builder version stay what they are
 */
export function pathFault(step: Step, isResolved: boolean): Fault | undefined {
  const reason = step.kind === "workdir" ? "invalid-working-directory" : "invalid-remote-path";
  const path = remotePathOf(step);
  if (path === undefined) return undefined;
  const problem = remotePathProblem(path) ?? (isResolved ? undefined : controlProblem(path));
  return problem === undefined ? undefined : { reason, message: `the remote path ${JSON.stringify(path)} ${problem}` };
}

function remotePathOf(step: Step): string | undefined {
  if (step.kind === "workdir") return step.path;
  return "destination" in step ? step.destination : undefined;
}

/** What keeps a path from being one in an image; undefined where nothing does. */
export function remotePathProblem(path: string): string | undefined {
  const parts = path.split("/");
  if (path === "") return "is empty";
  if (path.includes("\0")) return "holds a NUL, which no path can";
  if (path.startsWith("~")) return "begins with ~, which has no meaning in an image: write the directory out";
  if (parts.includes("..")) return "holds .., which a link in the image could lead anywhere: write the path without it";
  if (parts.some((part) => part.startsWith(".wh."))) return "has a name that begins with .wh., which marks a deleted file in an image";
  const tooLong = Buffer.byteLength(path) > LONGEST_PATH || parts.some((part) => Buffer.byteLength(part) > LONGEST_FILE_NAME);
  return tooLong ? "is longer than a file system takes" : undefined;
}

/** A newline at the end of what a command printed, mostly. A file system takes it, and so would BuildKit. */
function controlProblem(path: string): string | undefined {
  return /\p{Cc}/u.test(path) ? "holds a control character, such as a newline, that hardly belongs to it: take it out" : undefined;
}
