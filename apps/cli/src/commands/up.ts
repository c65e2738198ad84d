import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { startedPlatform } from "../platform/connect.ts";

/** Starts the platform, or finds that it is up. */
export async function up({ output }: { readonly output: Output }): Promise<void> {
  const config = readConfig();
  const { url, since, pid } = await startedPlatform(config, output);
  output.answer({ type: "platform", state: "up", url, since, pid }, `The platform is up at ${url}, under process ${pid}.`);
  if (config.remote !== undefined)
    output.note(`LAMINA_URL is set: the other commands use the platform at ${config.remote.url}, not this one.`);
}
