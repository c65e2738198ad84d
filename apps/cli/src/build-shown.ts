/** Building an image while people, or a script, watch. */
import { type BuildResult, buildImage, type Client, LaminaError, type LayerResult, layersAfter, asLaminaError } from "lamina";
import type { Output } from "./output.ts";
import type { LoadedImage } from "./user-file/load.ts";
import { detailsOf } from "./view/details.ts";
import { bytesText } from "./view/text.ts";
import type { BuildDisplay } from "./view/display.ts";
import { showBuild } from "./view/show.ts";

/** What is told of a build that has not begun after this time: nobody knows how far it is, and silence looks like a fault. */
const SLOW_MS = 4_000;
const SLOW = "planning takes a while: a base that is new here is fetched or made first";

export interface BuildShownOptions {
  readonly client: Client;
  readonly output: Output;
  /** Cancels the build. */
  readonly signal: AbortSignal;
  readonly pull?: boolean;
  /** The image is on the way to something else. */
  readonly brief?: boolean;
}

/** What became of an image whose build failed. */
export interface FailedImage {
  /** Null when it was not planned yet. */
  readonly id: string | null;
  readonly ref: null;
  /** Those that were made, were there, or failed. */
  readonly layers: readonly LayerResult[];
}

/** Builds an image and shows how it goes on. `onFailure` is told what was made before the error is thrown. */
export async function buildShown(
  { name, image }: LoadedImage,
  options: BuildShownOptions,
  onFailure: (image: FailedImage) => void = () => {},
): Promise<BuildResult> {
  const { client, output, signal, pull = false, brief = false } = options;
  let layers: readonly LayerResult[] = [];
  let id: string | null = null;
  let build: string | undefined;
  using display = await showBuild({ output, name, brief, details: detailsOf(image) });
  display.activity("reading local files and planning");
  const slow = setTimeout(() => display.said(SLOW), SLOW_MS);
  try {
    return await buildImage(client, image, {
      name,
      pull,
      signal,
      sizes: output.json,
      onEvent(event) {
        clearTimeout(slow);
        if (event.type === "upload" || event.type === "build") {
          if (event.type === "build") build = event.build;
          else if (event.bytes === event.total) display.said(`sent ${bytesText(event.total)} of local files`);
          else display.activity(`sending files: ${bytesText(event.bytes)} of ${bytesText(event.total)}`);
          if (output.json) output.event({ ...event, name });
          return;
        }
        if (event.type === "planned") id = event.image;
        layers = layersAfter(layers, event);
        display.event(event);
      },
    });
  } catch (error) {
    clearTimeout(slow);
    // Who cancels does not wait for the feed to say so.
    if (asLaminaError(error)?.code === "CANCELLED" && display.view().outcome === undefined)
      display.event({ type: "cancelled", at: Date.now() });
    onFailure({ id, ref: null, layers: layers.filter(({ status }) => status !== "missing") });
    throw failureOf(error, { build, display });
  }
}

/** A failure with what people know a layer by, which is not its id. */
export class BuildFailure extends LaminaError {
  readonly build: string;
  /** Its place and method, as in "3 runCommands". */
  readonly layerName: string;

  constructor(failure: LaminaError, { build, layerName }: { readonly build: string; readonly layerName: string }) {
    super(failure.info, { cause: failure.cause });
    this.build = build;
    this.layerName = layerName;
  }
}

/** A build was cancelled, as has been shown. */
export class BuildCancelled extends LaminaError {}

function failureOf(error: unknown, { build, display }: { readonly build: string | undefined; readonly display: BuildDisplay }): unknown {
  const known = asLaminaError(error);
  const { layers, outcome } = display.view();
  if (known?.code === "CANCELLED" && outcome?.kind === "cancelled") return new BuildCancelled(known.info, { cause: known.cause });
  const index = layers.findIndex(({ id }) => id === known?.info.layer);
  const layer = layers[index];
  if (known === undefined || build === undefined || layer === undefined) return error;
  return new BuildFailure(known, { build, layerName: `${index} ${layer.operation}` });
}
