/** The platform that a command talks to. */
import type { Config } from "../config.ts";
import type { Output } from "../output.ts";
import { type Client, connect as connectTo } from "lamina";
import { showStartup } from "../view/startup.ts";
import { type PlatformRecord, readPlatform } from "./files.ts";
import { up } from "./up.ts";

/** A client of the platform that the environment names, else of the local one, which is started when it is not up. */
export async function connect(config: Config, output: Output): Promise<Client> {
  return connectTo(config.remote ?? (await startedPlatform(config, output)));
}

/** The local platform, started when it is not up. */
export async function startedPlatform(config: Config, output: Output): Promise<PlatformRecord> {
  const running = await readPlatform(config.home);
  if (running !== undefined) return running;
  using display = showStartup(output);
  return await up(config, (record) => display.progress(record));
}
