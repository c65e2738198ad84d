/** Planning: what a build of an image would find, make and send. */
import type { Plan } from "@lamina/api";
import type { Client } from "./client/client.ts";
import { baseValues } from "./image-secrets.ts";
import { type IMAGE, type ImageState, imageState } from "./image-state.ts";
import { type Snapshot, type SnapshotTree, snapshotOf } from "./snapshot.ts";
import { missingFilesOf } from "./upload/missing-files.ts";

export interface PlanOptions {
  /** Asks the base registry again which image a tag means. */
  readonly pull?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Any copy's image. */
export type AnyImage = { readonly [IMAGE]: unknown };

export interface ImagePlan extends Plan {
  /** What would be sent, before compression. */
  readonly upload: { readonly files: number; readonly bytes: number };
}

/** Plans an image without sending or building anything. */
export async function planImage(client: Client, image: AnyImage, { pull = false, signal }: PlanOptions = {}): Promise<ImagePlan> {
  const { plan, trees } = await planned(client, imageState(image), { pull, signal });
  const missing = trees.length === 0 ? [] : await missingFilesOf(client, trees, signal);
  return { ...plan, upload: { files: missing.length, bytes: missing.reduce((sum, { size }) => sum + size, 0) } };
}

/** For a plan of what is built elsewhere. */
export interface AskOptions extends PlanOptions {
  readonly forExport?: boolean | undefined;
}

export interface Planned {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  /** The trees that the platform does not hold whole. */
  readonly trees: readonly SnapshotTree[];
}

/** Reads the local files of an image and asks the platform about it. */
export async function planned(client: Client, state: ImageState, options: AskOptions): Promise<Planned> {
  const snapshot = await snapshotOf(state);
  const planning = plannedAs(client, { snapshot, state }, options);
  const [result] = await Promise.all([planning, snapshot.remember()]);
  return result;
}

export interface Asked {
  readonly snapshot: Snapshot;
  readonly state: ImageState;
}

/** Asks the platform about an image whose local files were read. */
export async function plannedAs(
  client: Client,
  { snapshot, state }: Asked,
  { pull = false, forExport = false, signal }: AskOptions,
): Promise<Planned> {
  const { forcedFrom } = state;
  const plan = await client.images.plan(
    {
      definition: snapshot.definition,
      sources: [...state.sources],
      pull,
      forExport,
      secrets: baseValues(state),
      ...(forcedFrom !== undefined && { forcedFrom }),
    },
    { signal },
  );
  return { snapshot, plan, trees: plan.missingTrees.flatMap((digest) => snapshot.trees.get(digest) ?? []) };
}
