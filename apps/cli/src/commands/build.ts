import { setTimeout as delay } from "node:timers/promises";
import { type AnyImage, type Client, imageState, type LayerResult, planImage } from "lamina";
import { buildShown } from "../build-shown.ts";
import { readConfig } from "../config.ts";
import { onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { loadImages, parseTarget } from "../user-file/load.ts";

export interface BuildOptions {
  /** FILE or FILE#export. */
  readonly file: string;
  readonly pull: boolean;
  readonly output: Output;
}

/** Builds the images of a file, one after the other; the first that fails ends it. */
export async function build({ file, pull, output }: BuildOptions): Promise<void> {
  const images = await loadImages(parseTarget(file));
  const client = await connect(readConfig(), output);
  using interruption = onInterrupt();
  for (const image of images) {
    const context = { client, output, pull, signal: interruption.signal };
    const { id, ref, layers } = await buildShown(image, context, (failed) => {
      if (output.json) output.event({ type: "image", name: image.name, ...failed });
    });
    if (output.json)
      output.event({ type: "image", name: image.name, id, ref, layers: await withSizes(layers, { client, image: image.image }) });
    else output.result(`${image.name} ${ref}`);
  }
}

const SIZES_ASKED = 20;
const SIZES_AFTER_MS = 100;

/**
 * The layers with their sizes. A build is done with its last layer; the images of those before it are
 * published a moment later, and only then is it known how large they are.
 */
async function withSizes(
  layers: readonly LayerResult[],
  { client, image }: { readonly client: Client; readonly image: AnyImage },
): Promise<readonly LayerResult[]> {
  // The plan of an image that is to be made anew knows of no layer that is there.
  if (imageState(image).forcedFrom !== undefined) return layers;
  let sized = layers;
  for (let asked = 0; asked < SIZES_ASKED && layers.some(({ status }) => status === "built"); asked++) {
    const sizes = new Map((await planImage(client, image)).layers.map(({ id, bytes }) => [id, bytes]));
    sized = layers.map((layer) => ({ ...layer, bytes: sizes.get(layer.id) ?? layer.bytes }));
    if (layers.every(({ id }) => sizes.get(id) !== undefined)) break;
    await delay(SIZES_AFTER_MS);
  }
  return sized;
}
