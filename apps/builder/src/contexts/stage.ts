/** Staging: the directories from which BuildKit copies local files, each holding a tree. */
import type { ImageLocation } from "@lamina/api";
import type { Digest, LoweredContext } from "@lamina/ir";
import type { Repository } from "@lamina/registry";
import { PackError, TreeError, type StagedTree, type TreeDirectories, contextError, corrupt, readTree } from "@lamina/service";

export type TreeContext = Extract<LoweredContext, { kind: "directory" | "file" }>;

export interface StageOptions {
  readonly directories: TreeDirectories;
  /** The manifest of each tree. */
  readonly trees: Readonly<Record<Digest, ImageLocation>>;
  readonly repository: (location: ImageLocation) => Repository;
  readonly signal: AbortSignal;
}

/**
 * Fetches the tree of a context and stages it, under `t/`, or `f/` when it is one file.
 * @throws {LaminaError} CONTEXT_MISSING, CONTEXT_CORRUPT, REGISTRY_UNAVAILABLE
 */
export async function stageContext({ kind, tree: digest }: TreeContext, options: StageOptions): Promise<StagedTree> {
  const { directories, trees, repository: repositoryOf, signal } = options;
  const location = trees[digest];
  if (location === undefined) throw corrupt(digest, "the control plane does not say where it lies");
  const tree = await readTree(digest, { repository: repositoryOf(location), location, signal });
  try {
    return await directories.stage(tree, kind === "file" ? "f" : "t", signal);
  } catch (error) {
    if (error instanceof PackError || error instanceof TreeError) throw corrupt(digest, error.message, error);
    throw contextError(error, digest, signal);
  }
}
