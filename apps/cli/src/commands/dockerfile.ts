import path from "node:path";
import { uvBinary } from "@lamina/servers";
import { exportDockerfile } from "lamina";
import { type Config, readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { readPlatform } from "../platform/files.ts";
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
  const config = readConfig();
  const client = await connect(config, output);
  for (const { name, image } of images) {
    const directory = images.length === 1 ? out : path.join(out, name);
    await exportDockerfile(client, image, { directory, uv: (version) => uvBinary({ cache: config.cache, version }) });
    output.answer({ type: "dockerfile", name, directory }, directory);
    output.line(`Build ${name} with: ${await environment(config)}${word(path.join(path.resolve(directory), "build.sh"))}`);
  }
}

/** Where buildctl is, and the BuildKit that it talks to: those of the local platform, while it is up. */
async function environment({ home }: Config): Promise<string> {
  const platform = await readPlatform(home);
  return platform === undefined
    ? "BUILDKIT_HOST=ADDRESS "
    : `PATH=${word(platform.binaries)}:$PATH BUILDKIT_HOST=${word(platform.addresses["buildkit"] ?? "")} `;
}

/** As a shell takes it for one word. */
function word(text: string): string {
  return /^[\w/.:@=+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
