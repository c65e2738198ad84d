/** `copyLocalFile` and `copyLocalDir` before their files are read. */
import type { StepOperation } from "@lamina/ir";
import { posix } from "node:path";
import { z } from "zod";
import { type Condition, isCondition } from "../local/condition.ts";
import { ignoreLines } from "../local/ignore-file.ts";
import { ignoringOf } from "../local/ignore.ts";
import { aboutPath } from "../local/problem.ts";
import { kindOf, readDirectoryTree, readFileTree } from "../local/tree.ts";
import { Unsupported } from "../local/walk.ts";
import { NO_TREE, type ReadLocalStep } from "./read.ts";

export const LocalCopy = z.object({
  kind: z.literal("localCopy"),
  method: z.enum(["copyLocalFile", "copyLocalDir"]),
  /** As it was given: conditions see it so. */
  given: z.string(),
  /** The same from the root, by the working directory at the time of the call. */
  path: z.string(),
  destination: z.string(),
  condition: z.custom<Condition>(isCondition).optional(),
  /** Patterns as in a .dockerignore, after those of the directory's own. */
  ignore: z.array(z.string()).readonly().optional(),
});
export type LocalCopy = z.infer<typeof LocalCopy>;

/** The operation, with the digest of no tree. */
export function copyWithoutFiles({ method, destination }: LocalCopy): StepOperation {
  return { kind: method, tree: NO_TREE, destination };
}

export function readCopy(copy: LocalCopy, home: string): Promise<ReadLocalStep> {
  return aboutPath(copy, async () => {
    const kind = await kindOf(copy.path);
    if (kind === "directory") return readDirectory(copy, home);
    if (kind === "file" && copy.method === "copyLocalFile") return readFile(copy, home);
    const reason = kind === "other" ? "special-file" : "wrong-file-kind";
    throw new Unsupported(reason, `"${copy.given}" is not a ${copy.method === "copyLocalDir" ? "directory" : "file or a directory"}`);
  });
}

async function readFile({ path, destination }: LocalCopy, home: string): Promise<ReadLocalStep> {
  const tree = await readFileTree(path, { home });
  return { tree, operation: { kind: "copyLocalFile", tree: tree.digest, destination: destination === "." ? "./" : destination } };
}

async function readDirectory(copy: LocalCopy, home: string): Promise<ReadLocalStep> {
  const { path, given, destination, condition, ignore = [] } = copy;
  const prefix = given.replace(/\/+$/, "");
  const wanted = condition && ((relative: string) => isWanted(condition, `${prefix}/${relative}`));
  const patterns = [...(await ignoreLines(path)), ...ignore];
  const ignoring = patterns.length === 0 ? undefined : ignoringOf(patterns);
  const tree = await readDirectoryTree(path, { home, ignoring, ...(wanted !== undefined && { wanted }) });
  return { tree, operation: { kind: "copyLocalDir", tree: tree.digest, destination: posix.join(destination, ".") } };
}

/** A promise is true to an `if`: a condition that gives one would silently take every file. */
function isWanted(condition: Condition, file: string): boolean {
  const answer: unknown = asked(condition, file);
  if (typeof answer === "boolean") return answer;
  throw new Unsupported(
    "failed-condition",
    `the condition gave ${answer instanceof Promise ? "a promise" : typeof answer}; it must give true or false`,
  );
}

function asked(condition: Condition, file: string): unknown {
  try {
    return condition(file);
  } catch (cause) {
    throw new Unsupported(
      "failed-condition",
      `the condition failed for "${file}": ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
