/** An image with its local files read: what is sent to the platform. */
import type { Definition, Digest, StepOperation } from "@lamina/ir";
import { sdkConfig } from "./config.ts";
import type { ImageState } from "./image-state.ts";
import type { LocalTree } from "./local/tree.ts";
import { isLocalStep, readLocalStep } from "./local-steps/index.ts";

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
    if (!isLocalStep(step)) {
      steps.push(step);
      continue;
    }
    const { operation, tree } = await readLocalStep(step, { home, source: state.sources[index + 1] ?? null });
    trees.set(tree.digest, tree);
    steps.push(operation);
  }
  const remember = () => Promise.all([...trees.values()].map((tree) => tree.remember()));
  return { definition: { builderVersion: state.builderVersion, base: state.base, steps }, trees, remember };
}
