/** Building: the one way from an image to its reference in a registry. */
import { type BuildEvent, LaminaError } from "@lamina/api";
import type { Client } from "./client/client.ts";
import { inlineValues } from "./image-secrets.ts";
import { imageState } from "./image-state.ts";
import { layersAfter, type LayerResult } from "./layer-results.ts";
import { type AnyImage, planned, type PlanOptions } from "./plan.ts";
import { upload, type UploadProgress } from "./upload/upload.ts";

export type ClientEvent =
  | UploadProgress
  /** The platform has taken the build; its id finds it again. */
  | { readonly type: "build"; readonly build: string }
  | BuildEvent;

export interface BuildOptions extends PlanOptions {
  /** Hears of everything that happens, as it happens. */
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
  /** A name for people, shown in lists. */
  readonly name?: string | undefined;
}

export interface BuildResult {
  /** The image's id, which is that of its last layer. */
  readonly id: string;
  /** `host/repository@digest`. */
  readonly ref: string;
  readonly digest: string;
  /** The base first. */
  readonly layers: readonly LayerResult[];
}

/**
 * Plans, sends what is missing, and has the platform build; follows it to the end.
 * When the signal aborts, the build is cancelled on the platform too.
 * @throws LaminaError for why it failed; CANCELLED
 */
export async function buildImage(client: Client, image: AnyImage, options: BuildOptions = {}): Promise<BuildResult> {
  const { onEvent = () => {}, name, pull = false, signal } = options;
  const state = imageState(image);
  const { snapshot, trees } = await planned(client, state, { pull, signal });
  await upload(client, trees, { onProgress: onEvent, signal });
  throwIfCancelled(signal);
  const { build } = await client.builds.start({
    definition: snapshot.definition,
    pull,
    ...(state.forcedFrom !== undefined && { forcedFrom: state.forcedFrom }),
    ...(name !== undefined && { name }),
    sources: [...state.sources],
    secrets: inlineValues(state.secrets),
  });
  onEvent({ type: "build", build });
  return followBuild(client, build, { onEvent, signal });
}

/** Follows a build to its end. Its signal cancels it. @throws LaminaError for why it failed; CANCELLED */
export async function followBuild(
  client: Client,
  build: string,
  options: Pick<BuildOptions, "onEvent" | "signal"> = {},
): Promise<BuildResult> {
  const { onEvent = () => {}, signal } = options;
  let layers: readonly LayerResult[] = [];
  for await (const event of client.builds.follow(build, { signal })) {
    layers = layersAfter(layers, event);
    onEvent(event);
    if (event.type === "done") return { id: event.image, ref: event.ref, digest: event.digest, layers };
    if (event.type === "failed") throw new LaminaError(event.error);
    if (event.type === "cancelled") throw cancelled();
  }
  // The feed ends before its last event only by the signal.
  await client.builds.cancel(build);
  throw cancelled();
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled();
}

function cancelled(): LaminaError {
  return new LaminaError({ code: "CANCELLED", message: "The build was cancelled." });
}
