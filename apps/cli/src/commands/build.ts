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
    if (output.json) output.event({ type: "image", name: image.name, id, ref, layers });
    else output.result(`${image.name} ${ref}`);
  }
}
