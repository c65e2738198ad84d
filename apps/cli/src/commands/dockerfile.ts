import path from "node:path";
import { exportDockerfile } from "lamina";
import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { loadImages, parseTarget } from "../user-file/load.ts";

export interface DockerfileOptions {
  /** FILE or FILE#export. */
  readonly file: string;
  /** The directory to write to. */
  readonly out: string;
  readonly output: Output;
}

/** Writes what makes the same images without Lamina. The platform is asked what their bases mean. */
export async function dockerfile({ file, out, output }: DockerfileOptions): Promise<void> {
  const images = await loadImages(parseTarget(file));
  const client = await connect(readConfig(), output);
  for (const { name, image } of images) {
    const directory = images.length === 1 ? out : path.join(out, name);
    const { command } = await exportDockerfile(client, image, directory);
    output.result(directory);
    output.note(`Build it with: ${command}`);
  }
}
