/** The platform that a command talks to. */
import type { Config } from "../config.ts";
import type { Output } from "../output.ts";
import { type Client, connect as connectTo, type PlatformAddress } from "lamina";
import { releaseOfApps, stampOfApps } from "./entry.ts";
import { differenceOf } from "./external.ts";
import { type PlatformRecord, readPlatform } from "./files.ts";

/** A client of the platform that the environment names, else of the local one, which is started when it is not up. */
export async function connect(config: Config, output: Output): Promise<Client> {
  return connectTo(await platformAddress(config, output));
}

/** Where that platform is. */
export async function platformAddress(config: Config, output: Output): Promise<PlatformAddress> {
  return config.remote ?? (await startedPlatform(config, output));
}

/** The local platform, started when it is not up. */
export async function startedPlatform(config: Config, output: Output): Promise<PlatformRecord> {
  const running = await readPlatform(config.home);
  if (running !== undefined) {
    if (isOfAnotherRelease(running)) {
      output.note("The platform that is up is of another release. `lamina down`, then `lamina up` starts this one.");
    }
    const difference = differenceOf(running, config.external);
    if (difference !== undefined) output.note(difference);
    return running;
  }
  // What starts a platform is slow to load, and mostly one runs.
  const [{ prepare }, { showStartup }, { up }] = await Promise.all([
    import("./prepare.ts"),
    import("../view/startup.ts"),
    import("./up.ts"),
  ]);
  await prepare(config.cache, (line) => output.note(line));
  using display = showStartup(output);
  return await up(config, (record) => display.progress(record));
}

/** Who works from source knows what runs. */
function isOfAnotherRelease({ release, stamp }: PlatformRecord): boolean {
  if (stamp !== undefined && stamp === stampOfApps()) return false;
  const ours = releaseOfApps();
  return release !== undefined && ours !== undefined && release !== ours;
}
