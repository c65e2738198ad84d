/** What a step with local files becomes once they are read. */
import { type Digest, SecretReference, type StepOperation } from "@lamina/ir";
import { z } from "zod";
import type { LocalTree } from "../local/tree.ts";

export interface ReadLocalStep {
  readonly operation: StepOperation;
  /** The tree that the operation names, where it names one. */
  readonly tree?: LocalTree;
}

/** Stands for the digest of a tree that has not been read. */
export const NO_TREE: Digest = `sha256:${"0".repeat(64)}`;

/** What the definition says of any step that runs something. */
export const RunFields = z.object({ gpu: z.string().optional(), secrets: z.array(SecretReference).optional() });

/** A local path as it was given, and the same from the root, by the working directory at the time of the call. */
export const LocalPath = z.object({ given: z.string(), path: z.string() });
export type LocalPath = z.infer<typeof LocalPath>;
