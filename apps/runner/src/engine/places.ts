/** Places for containers: directories, and a network name space with a way out by slirp4netns. Made before they are needed, since that takes longest. */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { LaminaError } from "@lamina/api";
import type { ContainerPlace } from "./function-containers.ts";
import { finished, type Holder } from "./holder.ts";

export interface Place extends ContainerPlace {
  /** What the container writes lies in `upper`; `work` and `root` are for the mount. */
  readonly directory: string;
  /** The network name space, inside. */
  readonly network: string;
}

export interface Places extends AsyncDisposable {
  take(): Promise<Place>;
}

export interface PlacesOptions {
  readonly holder: Holder;
  /** An empty directory. */
  readonly directory: string;
}

// Whoever the image's user is reaches the socket and the pipes, which lie in a directory that nobody else does.
const MAKE = `
set -e
cd "$1"
mkdir upper work root run
chmod 755 upper root run
mkfifo run/stdout run/stderr
chmod 622 run/stdout run/stderr
: >"$2"
unshare --net="$2" true
exec slirp4netns --configure --mtu=65520 --disable-host-loopback --enable-sandbox --netns-type=path --ready-fd=3 --exit-fd=4 "$2" tap0
`;
/** The address at which slirp4netns answers what the machine's own name server does. */
export const NAME_SERVER = "10.0.2.3";

export function createPlaces({ holder, directory }: PlacesOptions): Places {
  let spare: Promise<Place> | undefined;
  let disposed = false;

  async function make(): Promise<Place> {
    const id = randomUUID();
    const own = join(directory, id);
    const network = join(holder.memory, "networks", id);
    await mkdir(own, { recursive: true, mode: 0o755 });
    const way = holder.run(MAKE, [own, network], ["ignore", "ignore", "pipe", "pipe", "pipe"]);
    await ready(way);
    return { id, directory: own, run: join(own, "run"), network, discard: () => discard(own, network, way) };
  }

  async function discard(own: string, network: string, way: ChildProcess): Promise<void> {
    // It ends when its last pipe is closed.
    const ended = way.exitCode === null && way.signalCode === null ? once(way, "exit") : undefined;
    for (const pipe of way.stdio) pipe?.destroy();
    await ended;
    // Inside, since what is in it may belong to others there.
    if (disposed) await rm(own, { recursive: true, force: true });
    else await finished(holder.run('umount -l "$1" && rm "$1"; rm -rf "$2"', [network, own], ["ignore", "ignore", "pipe"]));
  }

  return {
    async take() {
      const taken = spare ?? make();
      spare = undefined;
      const place = await taken.catch(() => make());
      // Not now, when what takes the place is to start.
      setTimeout(() => {
        if (!disposed) spare ??= keepSpare(make());
      }, SPARE_AFTER_MS).unref();
      return place;
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      await (await spare?.catch(() => undefined))?.discard();
    },
  };
}

const SPARE_AFTER_MS = 150;

/** Its failure is told to who takes it. */
function keepSpare(place: Promise<Place>): Promise<Place> {
  place.catch(() => undefined);
  return place;
}

async function ready(way: ChildProcess): Promise<void> {
  let said = "";
  way.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2_000)));
  const readiness = way.stdio[3];
  const failed = new Promise<string>((resolve) => {
    way.once("error", (error) => resolve(error.message));
    way.once("exit", (code) => resolve(said.trim() || `slirp4netns ended with ${code}`));
  });
  const isReady = isReadable(readiness) ? once(readiness, "data").then(() => undefined) : undefined;
  const failure = await Promise.race([isReady ?? "it has no pipe", failed]);
  if (failure === undefined) return;
  const message = `A container has no network: ${failure}. It takes slirp4netns (apt-get install slirp4netns) and /dev/net/tun.`;
  throw new LaminaError({ code: "FUNCTION_BROKEN", message });
}

function isReadable(stream: unknown): stream is Readable {
  return typeof stream === "object" && stream !== null && "read" in stream;
}
