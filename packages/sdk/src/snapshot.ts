/** An image with its local files read: what is sent to the platform. */
import { badInput, type SourceLocation } from "@lamina/api";
import type { Definition, Digest, StepOperation } from "@lamina/ir";
import { sdkConfig } from "./config.ts";
import type { ImageState } from "./image-state.ts";
import { ChangedWhileRead } from "./local/digest.ts";
import type { LocalTree } from "./local/tree.ts";
import { isLocalStep, readLocalStep } from "./local-steps/index.ts";

export interface Snapshot {
  readonly definition: Definition;
  /** The trees that steps copy, by digest. */
  readonly trees: ReadonlyMap<Digest, SnapshotTree>;
  /** Keeps what was learnt by reading local files; it takes a while, so it is best done while something else is waited for. */
  readonly remember: () => Promise<unknown>;
}

export interface SnapshotTree extends LocalTree {
  /** Where the method was called that copies it. */
  readonly source: SourceLocation | null;
}

/** Reads the local files of an image. @throws INVALID_INPUT with the place of the method whose files cannot be read */
export async function snapshotOf(state: ImageState): Promise<Snapshot> {
  const { home } = sdkConfig();
  const trees = new Map<Digest, SnapshotTree>();
  const steps: StepOperation[] = [];
  for (const [index, step] of state.steps.entries()) {
    if (!isLocalStep(step)) {
      steps.push(step);
      continue;
    }
    const source = state.sources[index + 1] ?? null;
    const { operation, tree } = await readLocalStep(step, { home, source });
    if (tree !== undefined) trees.set(tree.digest, { ...tree, source });
    steps.push(operation);
  }
  const remember = () => Promise.all([...trees.values()].map((tree) => tree.remember()));
  return { definition: { builderVersion: state.builderVersion, base: state.base, steps }, trees, remember };
}

/** What was thrown while files of trees were read again: that one has changed is INVALID_INPUT, with the place of its method. */
export function aboutChange(thrown: unknown, trees: readonly SnapshotTree[]): unknown {
  if (!(thrown instanceof ChangedWhileRead)) return thrown;
  const changed = trees.find(({ files }) => [...files.values()].some(({ path }) => path === thrown.path));
  return badInput("changed-file", thrown.message, { source: changed?.source, cause: thrown });
}
