/** Containers of functions and shells by plain runc: every start does only what a start takes, which is a mount and a process. */
import type { ChildProcess } from "node:child_process";
import { hash } from "node:crypto";
import { accessSync, constants, existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LaminaError } from "@lamina/api";
import { attend } from "./attended.ts";
import { cdiEdits } from "./cdi.ts";
import { cgroupLimits, removeCgroups, wasOutOfMemory } from "./cgroups.ts";
import { containerSpec } from "./container-spec.ts";
import type { Ctr } from "./ctr.ts";
import type { Engine } from "./engine.ts";
import { executableImage, type ExecutableImage, removeAnchors } from "./executable-image.ts";
import type {
  AttendedContainer,
  ContainerExit,
  ContainerPlace,
  ContainerSpec,
  FunctionContainers,
  StartedContainer,
} from "./function-containers.ts";
import { finished, startHolder } from "./holder.ts";
import { createPlaces, NAME_SERVER, type Place } from "./places.ts";

export interface RuncContainersOptions {
  readonly engine: Pick<Engine, "pull">;
  readonly ctr: Ctr;
  /** A directory of this process alone, and of those that were in its place before. */
  readonly directory: string;
  /** Marks what is of this process and of those that were in its place before. */
  readonly owner: string;
  /** The whole environment of what it runs. */
  readonly environment: Readonly<Record<string, string>>;
  /** What leads into the user name space of containerd, for a user who is not root; nothing sets limits there. */
  readonly enter: readonly string[];
  /** Where CDI devices are described. */
  readonly cdi: readonly string[];
  /** Told, in a line, what could not be removed. It is tried again at the next start. */
  readonly onLeftover: (message: string) => void;
}

export interface RuncContainers extends FunctionContainers, AsyncDisposable {
  /** Resolves, with a reason, when all containers were lost at once. */
  readonly lost: Promise<string>;
}

// Relative names of lower directories keep the options within the page that mount takes.
const START = `
cd "$1" && mount -t overlay -o "$2" overlay "$3/root" || exit 125
exec runc --root "$4" run --keep --bundle "$5" --pid-file "$3/pid" "$6"
`;
const KILL = `pid=$(cat "$1/pid" 2>/dev/null) && kill -KILL "$pid" || runc --root "$2" delete --force "$3"`;
const CLEAN = `runc --root "$1" delete --force "$2"; umount -l "$3/root"; rm -rf "$4"`;

/** Removes what earlier processes have left, and starts the process that holds the containers. */
export async function runcContainers(options: RuncContainersOptions): Promise<RuncContainers> {
  const { engine, ctr, directory, owner, enter, cdi, onLeftover } = options;
  const mark = hash("sha256", owner).slice(0, 16);
  const anchors = `lamina-functions-${mark}-`;
  const cgroup = `/lamina-functions/${mark}`;
  const placesDirectory = join(directory, "containers");
  const files = await networkFiles(directory);
  const holder = await startHolder({ directory: join(directory, "holder"), enter, environment: options.environment });
  // Inside, since what containers wrote may belong to others there.
  const removePlaces = () => finished(holder.run('rm -rf "$1"', [placesDirectory], ["ignore", "ignore", "pipe"]));
  await Promise.all([removePlaces(), removeCgroups(cgroup), removeAnchors(ctr, anchors)]);
  await mkdir(placesDirectory, { recursive: true, mode: 0o711 });
  const places = createPlaces({ holder, directory: placesDirectory });
  const images = new Map<string, Promise<ExecutableImage>>();
  const known = new Map<string, Place>();
  const runtime = join(holder.memory, "runc");
  /** What is taken away after containers. */
  const ending = new Set<Promise<void>>();

  /** Writes what runc reads. */
  async function bundled({ id }: ContainerPlace, container: ContainerSpec, hasTerminal: boolean): Promise<Bundle> {
    const place = known.get(id);
    if (place === undefined) throw new TypeError(`there is no place ${id}`);
    const bundle = join(holder.memory, "bundles", id);
    const group = join(cgroup, id);
    const spec = containerSpec({
      ...container,
      root: join(place.directory, "root"),
      network: place.network,
      hostname: id.slice(0, 12),
      mounts: [...container.readOnly, ...files, { source: place.run, target: "/lamina/run" }],
      cgroup: enter.length === 0 ? { path: group, limits: cgroupLimits(container.limits) } : undefined,
      edits: await cdiEdits(container.devices, cdi),
      hasTerminal,
    });
    await mkdir(holder.fromHere(bundle), { mode: 0o700 });
    await writeFile(holder.fromHere(join(bundle, "config.json")), JSON.stringify(spec), { mode: 0o600 });
    known.delete(id);
    const { base, lower } = lowerDirectories(container.image);
    const overlay = `index=off,lowerdir=${lower},upperdir=${place.directory}/upper,workdir=${place.directory}/work`;
    return { place, group, bundle, args: [base, overlay, place.directory, runtime, bundle, id] };
  }

  /** Takes away what the container was made of, when it has ended. @returns what ends it */
  function tidyAfter(exited: Promise<unknown>, { place, group, bundle }: Bundle): () => void {
    const { id, directory: own } = place;
    const tidying = tidyUp(exited, async () => {
      await finished(holder.run(CLEAN, [runtime, id, own, bundle], ["ignore", "ignore", "pipe"]));
      await removeCgroups(group);
      await place.discard();
    }).catch((error: unknown) => onLeftover(`What the container ${id} has left could not be removed: ${String(error)}`));
    ending.add(tidying);
    void tidying.then(() => ending.delete(tidying));
    return () => void finished(holder.run(KILL, [own, runtime, id], ["ignore", "ignore", "pipe"])).catch(() => undefined);
  }

  async function start(place: ContainerPlace, container: ContainerSpec): Promise<StartedContainer> {
    const bundle = await bundled(place, container, false);
    const exited = exitOf(holder.run(START, bundle.args, ["ignore", "pipe", "pipe"]), bundle.group);
    return { exited, kill: tidyAfter(exited, bundle) };
  }

  const startAttended: FunctionContainers["startAttended"] = async (place, container, attendance): Promise<AttendedContainer> => {
    const bundle = await bundled(place, container, attendance.terminal !== undefined);
    const attended = attend({ ...attendance, holder, directory: bundle.place.directory, args: bundle.args });
    const exited = attended.exited.then(async ({ said, ...exit }) => ({
      ...exit,
      said: withoutLogging(said),
      outOfMemory: await wasOutOfMemory(bundle.group),
    }));
    return { ...attended, exited, kill: tidyAfter(exited, bundle) };
  };

  async function tidyUp(exited: Promise<unknown>, remove: () => Promise<void>): Promise<void> {
    await exited;
    await remove();
  }

  return {
    lost: holder.lost,
    prepare(reference, signal) {
      const preparing = images.get(reference) ?? executableImage(reference, { engine, ctr, prefix: anchors }, signal);
      images.set(reference, preparing);
      preparing.catch(() => images.delete(reference));
      return preparing;
    },
    async place() {
      const place = await places.take();
      known.set(place.id, place);
      return { ...place, discard: () => place.discard().finally(() => known.delete(place.id)) };
    },
    start,
    startAttended,
    async [Symbol.asyncDispose]() {
      await Promise.all(ending);
      await places[Symbol.asyncDispose]();
      // Where all was lost nothing is run any more; the next start does it.
      await removePlaces().catch((error: unknown) => onLeftover(`What containers have left could not be removed: ${String(error)}`));
      await holder[Symbol.asyncDispose]();
      await removeCgroups(cgroup);
    },
  };
}

interface Bundle {
  readonly place: Place;
  readonly group: string;
  readonly bundle: string;
  /** Of the script that starts it. */
  readonly args: readonly string[];
}

async function exitOf(child: ChildProcess, group: string): Promise<ContainerExit> {
  let said = "";
  const listen = (text: string) => (said = (said + text).slice(-4_000));
  child.stdout?.setEncoding("utf8").on("data", listen);
  child.stderr?.setEncoding("utf8").on("data", listen);
  const exitCode = await new Promise<number>((resolve) => {
    child.once("error", (error) => {
      listen(error.message);
      resolve(125);
    });
    child.once("exit", (code) => resolve(code ?? 137));
  });
  return { exitCode, outOfMemory: await wasOutOfMemory(group), said: withoutLogging(said) };
}

/** runc's complaints come as lines of a log, among warnings. */
function withoutLogging(text: string): string {
  return text
    .replaceAll(/^time=\S+ level=warning .*\n/gm, "")
    .replaceAll(/^time=\S+ level=\w+ msg=("(?:[^"\\]|\\.)*")$/gm, (_, message: string) => String(JSON.parse(message)));
}

/** Without the directory that they all lie in. */
function lowerDirectories({ layers }: ExecutableImage): { base: string; lower: string } {
  const [first = "/"] = layers;
  const base = dirname(dirname(first));
  const isShared = layers.every((layer) => layer.startsWith(`${base}/`));
  return isShared ? { base, lower: layers.map((layer) => layer.slice(base.length + 1)).join(":") } : { base: "/", lower: layers.join(":") };
}

async function networkFiles(directory: string): Promise<{ source: string; target: string }[]> {
  const contents = { "resolv.conf": `nameserver ${NAME_SERVER}\n`, hosts: "127.0.0.1 localhost\n::1 localhost\n" };
  const folder = join(directory, "etc");
  await mkdir(folder, { recursive: true, mode: 0o755 });
  for (const [name, content] of Object.entries(contents)) await writeFile(join(folder, name), content, { mode: 0o644 });
  return Object.keys(contents).map((name) => ({ source: join(folder, name), target: `/etc/${name}` }));
}

/** Why containers of functions cannot be had here; undefined when they can. */
export function reasonAgainstFunctions(enter: readonly string[]): string | undefined {
  const [program] = enter;
  if (program !== undefined && !existsSync(program)) {
    return `the runner is not root, and ${program} is not there, which leads to where containerd is root`;
  }
  if (!existsSync(TUNNELS)) return `${TUNNELS} is not there, by which they have a network`;
  try {
    accessSync(TUNNELS, constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return `this user may not read and write ${TUNNELS}, by which they have a network; udev allows it to everybody, and chmod 666 does`;
  }
}

const TUNNELS = "/dev/net/tun";

/** In place of those that cannot be had: who wants one is told why. */
export function refusingContainers(reason: string): RuncContainers {
  const refuse = async (): Promise<never> => {
    throw new LaminaError({ code: "FUNCTION_BROKEN", message: `This runner cannot run functions and shells: ${reason}.` });
  };
  return {
    prepare: refuse,
    place: refuse,
    start: refuse,
    startAttended: refuse,
    lost: new Promise(() => undefined),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
