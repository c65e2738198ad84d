/** An image with its local files read: what is sent to the platform. */
import { LaminaError, type SourceLocation } from "@lamina/api";
import type { Definition, Digest, StepOperation } from "@lamina/ir";
import { posix } from "node:path";
import { sdkConfig } from "./config.ts";
import { invalidInput } from "./failure.ts";
import type { ImageState, LocalCopy } from "./image-state.ts";
import { ChangedWhileRead } from "./local/digest.ts";
import { kindOf, type LocalTree, readDirectoryTree, readFileTree } from "./local/tree.ts";
import { Unsupported } from "./local/walk.ts";

export interface Snapshot {
  readonly definition: Definition;
  /** The trees that steps copy, by digest. */
  readonly trees: ReadonlyMap<Digest, LocalTree>;
  /** Keeps what was learnt by reading local files; it takes a while, so it is best done while something else is waited for. */
  readonly remember: () => Promise<unknown>;
}

/** Reads the local files of an image. @throws INVALID_INPUT with the place of the method whose files cannot be read */
export async function snapshotOf(state: ImageState): Promise<Snapshot> {
  const { home } = sdkConfig();
  const trees = new Map<Digest, LocalTree>();
  const steps: StepOperation[] = [];
  for (const [index, step] of state.steps.entries()) {
    if (step.kind === "localCopy") {
      const { operation, tree } = await readCopy(step, { home, source: state.sources[index + 1] ?? null });
      trees.set(tree.digest, tree);
      steps.push(operation);
    } else {
      steps.push(step);
    }
  }
  const remember = () => Promise.all([...trees.values()].map((tree) => tree.remember()));
  return { definition: { builderVersion: state.builderVersion, base: state.base, steps }, trees, remember };
}

interface ReadCopy {
  readonly operation: StepOperation;
  readonly tree: LocalTree;
}

async function readCopy(
  copy: LocalCopy,
  { home, source }: { readonly home: string; readonly source: SourceLocation | null },
): Promise<ReadCopy> {
  try {
    const kind = await kindOf(copy.path);
    if (kind === "directory") return await readDirectory(copy, home);
    if (kind === "file" && copy.method === "copyLocalFile") return await readFile(copy, home);
    throw new Unsupported(`"${copy.given}" is not a ${copy.method === "copyLocalDir" ? "directory" : "file or a directory"}`);
  } catch (error) {
    const problem = problemOf(error, copy);
    throw problem === undefined ? error : invalidInput(`${copy.method}: ${problem}`, source, { cause: error });
  }
}

async function readFile({ path, destination }: LocalCopy, home: string): Promise<ReadCopy> {
  const tree = await readFileTree(path, { home });
  return { tree, operation: { kind: "copyLocalFile", tree: tree.digest, destination: destination === "." ? "./" : destination } };
}

async function readDirectory({ path, given, destination, condition }: LocalCopy, home: string): Promise<ReadCopy> {
  const prefix = given.replace(/\/+$/, "");
  const wanted = condition && ((relative: string) => isWanted(condition(`${prefix}/${relative}`)));
  const tree = await readDirectoryTree(path, { home, ...(wanted !== undefined && { wanted }) });
  return { tree, operation: { kind: "copyLocalDir", tree: tree.digest, destination: posix.join(destination, ".") } };
}

/** A promise is true to an `if`: a condition that gives one would silently take every file. */
function isWanted(answer: unknown): boolean {
  if (typeof answer === "boolean") return answer;
  throw new Unsupported(`the condition gave ${answer instanceof Promise ? "a promise" : typeof answer}; it must give true or false`);
}

/** What is wrong in the user's terms, for errors that are about the files. */
function problemOf(error: unknown, { given, path }: LocalCopy): string | undefined {
  if (error instanceof Unsupported || error instanceof ChangedWhileRead) return error.message;
  if (error instanceof LaminaError || !(error instanceof Error) || !("code" in error)) return undefined;
  const where = "path" in error && typeof error.path === "string" && error.path !== path ? error.path : given;
  switch (error.code) {
    case "ENOENT":
      return `there is no "${where}" (looked at ${path})`;
    case "EACCES":
    case "EPERM":
      return `"${where}" may not be read by this user`;
    case "ELOOP":
      return `"${where}" is a link that leads to itself, or became a link while it was read`;
    default:
      return `"${where}" cannot be read: ${error.message}`;
  }
}
