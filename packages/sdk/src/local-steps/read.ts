/** What a step with local files becomes once they are read. */
import type { Digest, StepOperation } from "@lamina/ir";
import type { LocalTree } from "../local/tree.ts";

export interface ReadLocalStep {
  readonly operation: StepOperation;
  /** The tree that the operation names. */
  readonly tree: LocalTree;
}

/** Stands for the digest of a tree that has not been read. */
export const NO_TREE: Digest = `sha256:${"0".repeat(64)}`;
