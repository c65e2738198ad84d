/** Building an image while people, or a script, watch. */
import { type BuildResult, buildImage, type Client, LaminaError, type LayerResult, layersAfter, asLaminaError } from "lamina";
import type { Output } from "./output.ts";
import type { LoadedImage } from "./user-file/load.ts";
import { detailsOf } from "./view/details.ts";
import { bytesText } from "./view/text.ts";
import { type BuildDisplay, showBuild } from "./view/show.ts";

export interface BuildShownOptions {
  readonly client: Client;
  readonly output: Output;
  /** Cancels the build. */
  readonly signal: AbortSignal;
  readonly pull?: boolean;
}

/** What became of an image, also where it failed. */
export interface ImageReport {
  readonly id: string | null;
  readonly ref: string | null;
  /** Those that were made, were there, or failed. */
  readonly layers: readonly LayerResult[];
}

/**
 * Builds an image and shows how it goes on. `report` is told the outcome before the error of a build
 * that failed is thrown.
 */
export async function buildShown({ name, image }: LoadedImage, options: BuildShownOptions, report: (report: ImageReport) => void = () => {}): Promise<BuildResult> {
  const { client, output, signal, pull = false } = options;
  let layers: readonly LayerResult[] = [];
  let id: string | null = null;
  using display = showBuild({ output, name, details: detailsOf(image) });
  display.activity("reading local files and planning");
  try {
    const result = await buildImage(client, image, {
      name,
      pull,
      signal,
      onEvent(event) {
        switch (event.type) {
          case "upload":
            display.activity(`sending files: ${bytesText(event.bytes)} of ${bytesText(event.total)}`);
            return;
          case "build":
            return;
          case "planned":
            id = event.image;
            break;
        }
        layers = layersAfter(layers, event);
        display.event(event);
      },
    });
    report({ ...result, layers: result.layers });
    return result;
  } catch (error) {
    report({ id, ref: null, layers: layers.filter(({ status }) => status !== "missing") });
    throw withLayerName(error, display);
  }
}

/** Errors name a layer by its id; people know it by its place and method. */
function withLayerName(error: unknown, display: BuildDisplay): unknown {
  const known = asLaminaError(error);
  const { layers } = display.view();
  const index = layers.findIndex(({ id }) => id === known?.info.layer);
  const layer = layers[index];
  if (known === undefined || layer === undefined) return error;
  return new LayerFailure(`${index} ${layer.operation}`, known);
}

/** A failure of a layer, with the name by which people know it. */
export class LayerFailure extends LaminaError {
  readonly layerName: string;

  constructor(layerName: string, failure: LaminaError) {
    super(failure.info, { cause: failure.cause });
    this.layerName = layerName;
  }
}
