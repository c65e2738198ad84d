/** Building: the one way from an image to its reference in a registry. */
import { type BuildEvent, type BuildOwnEvent, LaminaError, type StartBuildInput, type StartedBuild, type Tracked } from "@lamina/api";
import type { BuildFeedOptions, Client } from "./client/client.ts";
import { inlineValues } from "./image-secrets.ts";
import { asLaminaError } from "./failure.ts";
import { imageState } from "./image-state.ts";
import { layersAfter, type LayerResult } from "./layer-results.ts";
import { type AnyImage, type Asked, plannedAs, type PlanOptions } from "./plan.ts";
import type { LocalTree } from "./local/tree.ts";
import { snapshotOf } from "./snapshot.ts";
import type { UploadProgress } from "./upload/upload.ts";

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
  /** Waits at the end until the size of every layer is known, which is a moment after the image can be used. */
  readonly sizes?: boolean | undefined;
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
 * Has the platform build, sends it what it lacks for that, and follows the build to its end.
 * When the signal aborts, the build is cancelled on the platform too.
 * @throws LaminaError for why it failed; CANCELLED
 */
export async function buildImage(client: Client, image: AnyImage, options: BuildOptions = {}): Promise<BuildResult> {
  const { onEvent = () => {}, signal, sizes } = options;
  const state = imageState(image);
  const snapshot = await snapshotOf(state);
  throwIfCancelled(signal);
  const started = start(client, { state, snapshot }, options);
  const following = started.then(({ build, events }) => {
    onEvent({ type: "build", build });
    return followBuild(client, build, { onEvent, signal, sizes, events });
  });
  // There is time for it while the platform works.
  const remembering = started.then(snapshot.remember, snapshot.remember);
  const [result] = await Promise.all([following, remembering]);
  return result;
}

export interface FollowBuildOptions extends Pick<BuildOptions, "onEvent" | "signal" | "sizes"> {
  /** Its first events, where they are known; it is followed from there on. */
  readonly events?: StartedBuild["events"] | undefined;
}

/** Follows a build to its end. Its signal cancels it. @throws LaminaError for why it failed; CANCELLED */
export async function followBuild(client: Client, build: string, options: FollowBuildOptions = {}): Promise<BuildResult> {
  const { onEvent = () => {}, signal, sizes = false, events = [] } = options;
  let layers: readonly LayerResult[] = [];
  for await (const event of eventsOf(client, build, { events, signal, until: sizes ? "published" : undefined })) {
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

/**
 * Mostly nothing has to be sent, so the platform is asked for the build at once. It says that it lacks files only where nothing else is
 * wrong, and then they are sent: a build that is refused leaves nothing behind.
 */
async function start(
  client: Client,
  asked: Asked,
  { onEvent = () => {}, name, pull = false, signal }: BuildOptions,
): Promise<StartedBuild> {
  const { state, snapshot } = asked;
  const { forcedFrom } = state;
  const input = {
    definition: snapshot.definition,
    ...(forcedFrom !== undefined && { forcedFrom }),
    ...(name !== undefined && { name }),
    sources: [...state.sources],
    secrets: inlineValues(state.secrets),
  };
  const uploading = { onProgress: onEvent, signal };
  const changed = [...snapshot.trees.values()].filter(isLittleNew);
  // Looked for while the platform looks at the build.
  const changes = changed.length === 0 ? undefined : uploader().then(({ missingOf }) => missingOf(client, changed, signal));
  changes?.catch(() => {});
  const first = await startUnlessFilesLack(client, { ...input, pull });
  if (first !== undefined) return first;
  // From here on the platform knows what a tag means: it was asked just now.
  if (changes !== undefined) {
    await (await uploader()).uploadChanges(client, { trees: changed, missing: await changes }, uploading);
    throwIfCancelled(signal);
    const second = await startUnlessFilesLack(client, input);
    if (second !== undefined) return second;
  }
  const { trees } = await plannedAs(client, asked, { signal });
  await (await uploader()).upload(client, trees, uploading);
  throwIfCancelled(signal);
  return client.builds.start(input);
}

/** Undefined where the platform lacks local files, and nothing else is wrong. */
async function startUnlessFilesLack(client: Client, input: StartBuildInput): Promise<StartedBuild | undefined> {
  try {
    return await client.builds.start(input);
  } catch (error) {
    if (asLaminaError(error)?.code !== "CONTEXT_MISSING") throw error;
    return undefined;
  }
}

/** Rarely needed, and slow to load. */
const uploader = () => import("./upload/upload.ts");

/** What the platform most likely lacks, and so little that it is not worth asking what else it lacks. */
function isLittleNew({ files }: LocalTree): boolean {
  const sizes = [...files.values()].filter(({ isNew }) => isNew).map(({ stamp }) => Number(stamp.size));
  return sizes.length > 0 && sizes.reduce((sum, size) => sum + size, 0) <= LITTLE_BYTES;
}

const LITTLE_BYTES = 1024 * 1024;

/** The events that are known, and those after them. */
async function* eventsOf(
  client: Client,
  build: string,
  { events, ...options }: Omit<BuildFeedOptions, "after"> & { readonly events: readonly Tracked<BuildOwnEvent>[] },
): AsyncGenerator<BuildEvent> {
  for (const { event } of events) yield event;
  yield* client.builds.follow(build, { after: events.at(-1)?.cursor, ...options });
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled();
}

function cancelled(): LaminaError {
  return new LaminaError({ code: "CANCELLED", message: "The build was cancelled." });
}
