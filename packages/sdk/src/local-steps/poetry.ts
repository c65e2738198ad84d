/** `poetryInstallFromFile` before its files are read. */
import type { StepOperation } from "@lamina/ir";
import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { readParts } from "../local/parts.ts";
import { aboutPath } from "../local/problem.ts";
import { readText } from "../local/text.ts";
import { kindOf, type LocalTree } from "../local/tree.ts";
import { Unsupported } from "../local/walk.ts";
import { checkLock } from "../poetry/lock.ts";
import { checkProject, readProject } from "../poetry/project.ts";
import { LocalPath, NO_TREE, type ReadLocalStep, RunFields } from "./read.ts";

export const LocalPoetry = z.object({
  kind: z.literal("localPoetry"),
  method: z.literal("poetryInstallFromFile"),
  pyproject: LocalPath,
  /** `beside`: the poetry.lock in the directory of the pyproject, if there is one. */
  lock: z.union([LocalPath, z.enum(["beside", "ignored"])]),
  /** In their normal form, sorted. */
  extras: z.array(z.string()).readonly(),
  groups: z.array(z.string()).readonly(),
  run: RunFields,
});
export type LocalPoetry = z.infer<typeof LocalPoetry>;

/** The operation, with the digest of no tree. */
export function poetryWithoutFiles({ extras, groups, run }: LocalPoetry): Extract<StepOperation, { kind: "poetryInstallFromFile" }> {
  return {
    kind: "poetryInstallFromFile",
    tree: NO_TREE,
    ...(extras.length > 0 && { extras: [...extras] }),
    ...(groups.length > 0 && { groups: [...groups] }),
    ...run,
  };
}

export async function readPoetry(step: LocalPoetry, home: string): Promise<ReadLocalStep> {
  const { pyproject, extras, groups } = step;
  const lock = await lockOf(step);
  await checkFile(pyproject);
  if (lock !== undefined) await checkFile(lock);
  const parts = [{ ...pyproject, place: PYPROJECT }, ...(lock === undefined ? [] : [{ ...lock, place: LOCK }])];
  const tree = await readParts(parts, { home });
  const project = readProject(await textOf(tree, PYPROJECT), pyproject.given);
  checkProject(project, { extras, groups, isLocked: lock !== undefined });
  if (lock !== undefined) checkLock(await textOf(tree, LOCK), { given: lock.given, project });
  return { tree, operation: { ...poetryWithoutFiles(step), tree: tree.digest } };
}

const PYPROJECT = "pyproject.toml";
const LOCK = "poetry.lock";

async function lockOf({ pyproject, lock }: LocalPoetry): Promise<LocalPath | undefined> {
  if (lock === "ignored") return undefined;
  if (lock !== "beside") return lock;
  const beside = { given: join(dirname(pyproject.given), LOCK), path: join(dirname(pyproject.path), LOCK) };
  const isThere = await access(beside.path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT" && error.code !== "ENOTDIR",
  );
  return isThere ? beside : undefined;
}

function checkFile(path: LocalPath): Promise<void> {
  return aboutPath(path, async () => {
    if ((await kindOf(path.path)) !== "file") throw new Unsupported("wrong-file-kind", `"${path.given}" is not a file`);
  });
}

/** The text of a file of the tree, in the state that is in the tree. */
async function textOf({ entries, files }: LocalTree, place: string): Promise<string> {
  const entry = entries.find(({ path }) => path === place);
  const file = entry?.kind === "file" ? files.get(entry.digest) : undefined;
  if (file === undefined) throw new RangeError(`the tree has no file ${place}`);
  return readText(file.path, file.stamp);
}
