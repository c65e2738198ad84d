/** Deploying while people, or a script, watch: the builds of images are shown one after the other. */
import type { AnyImage, BuildResult, Client, DeployOptions } from "lamina";
import { buildShown } from "../build-shown.ts";
import type { Output } from "../output.ts";

export interface Watched {
  readonly client: Client;
  readonly output: Output;
  readonly signal: AbortSignal;
}

export function shownDeploy({ client, output, signal }: Watched): DeployOptions {
  let before: Promise<unknown> = Promise.resolve();
  return {
    signal,
    build(image: AnyImage, name: string): Promise<BuildResult> {
      const build = before.then(() => buildShown({ name, image }, { client, output, signal, brief: true }));
      before = build;
      return build;
    },
  };
}
