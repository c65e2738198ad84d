/**
 * Places apart from each other on one machine, as if each were a machine of its own: a network name space on a common
 * bridge, and a view of the disk in which of some directories only its own folders are there. It needs root. A network
 * lives as long as a process in it, and the process that holds it ends with this one: nothing is left of a killed run.
 */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { relative } from "node:path";
import type { Place } from "@lamina/servers";
import { execa } from "execa";

export interface ApartOptions {
  /** Directories that no place sees. */
  readonly hidden: readonly string[];
  /** The places, each with the folders of hidden directories that it sees all the same. */
  readonly places: Readonly<Record<string, readonly string[]>>;
  /** A place that is not on the bridge, and the only one that it reaches. */
  readonly guest: { readonly name: string; readonly host: string };
}

export interface Apart extends AsyncDisposable {
  place(name: string): Place;
}

/** Why this process cannot make such places; undefined when it can. */
export async function reasonAgainstApart(): Promise<string | undefined> {
  const trial = "ip link add one type veth peer name other && ip link add bridge type bridge";
  const { exitCode, shortMessage } = await execa("unshare", ["--net", "--mount", "sh", "-c", trial], { reject: false });
  return exitCode === 0 ? undefined : `network name spaces cannot be made: ${shortMessage}`;
}

/** Makes the places. Processes of this machine reach all but the guest. */
export async function placesApart({ hidden, places, guest }: ApartOptions): Promise<Apart> {
  await using cleanUp = new AsyncDisposableStack();
  // Of the networks that are set aside for tests of networks.
  const subnet = `198.${randomInt(18, 20)}.${randomInt(256)}`;
  const networks = new Map<string, Network>();
  for (const [index, name] of Object.keys(places).entries()) {
    networks.set(name, cleanUp.use(await holdNetwork(`${subnet}.${index + 2}`)));
  }
  const bridge = cleanUp.use(await holdNetwork(""));
  const networkOf = (name: string): Network => {
    const network = networks.get(name);
    if (network === undefined) throw new TypeError(`there is no place ${name}`);
    return network;
  };
  const members = [...networks.keys()].filter((name) => name !== guest.name).map(networkOf);
  await connectToBridge(bridge, members, subnet);
  await connectTwo(networkOf(guest.name), networkOf(guest.host));
  for (const folder of Object.values(places).flat()) await mkdir(folder, { recursive: true, mode: 0o700 });

  const owned = cleanUp.move();
  return {
    place(name) {
      const { address, pid } = networkOf(name);
      const script = [...hidden.map((directory) => hide(directory, places[name] ?? [])), OWN_MEMORY, 'cd "$PWD" && exec "$@"'].join(
        " &&\n",
      );
      return { address, enter: ["nsenter", `--net=/proc/${pid}/ns/net`, "unshare", "--mount", "sh", "-c", script, "sh"] };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Network extends AsyncDisposable {
  readonly address: string;
  /** Of the process that holds it. */
  readonly pid: number;
}

async function holdNetwork(address: string): Promise<Network> {
  const holder = "ip link set lo up && echo held && exec setpriv --pdeathsig KILL sleep infinity";
  const child = spawn("unshare", ["--net", "sh", "-c", holder], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const isHeld = await Promise.race([once(child.stdout, "data").then(() => true), exited.then(() => false)]);
  if (child.pid === undefined || !isHeld) throw new Error("a network name space cannot be made");
  return {
    address,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

async function connectToBridge(bridge: Network, members: readonly Network[], subnet: string): Promise<void> {
  const machine = `lamina-${randomInt(1e6)}`;
  await ip([
    `link add ${machine} type veth peer name machine netns ${bridge.pid}`,
    ...members.map(({ pid }, index) => `link add eth0 netns ${pid} type veth peer name port-${index} netns ${bridge.pid}`),
    `address add ${subnet}.1/24 dev ${machine}`,
    `link set ${machine} up`,
  ]);
  const ports = ["machine", ...members.map((_, index) => `port-${index}`)];
  await ip(["link add bridge type bridge", "link set bridge up", ...ports.map((port) => `link set ${port} master bridge up`)], bridge);
  for (const member of members) await ip([`address add ${member.address}/24 dev eth0`, "link set eth0 up"], member);
}

/** By a cable of their own, over which each reaches the address of the other and nothing else. */
async function connectTwo(guest: Network, host: Network): Promise<void> {
  await ip([`link add eth0 netns ${guest.pid} type veth peer name guest netns ${host.pid}`]);
  await ip(["link set guest up", `route add ${guest.address}/32 dev guest`], host);
  await ip([`address add ${guest.address}/32 dev eth0`, "link set eth0 up", `route add ${host.address}/32 dev eth0`], guest);
}

async function ip(commands: readonly string[], network?: Network): Promise<void> {
  const enter = network === undefined ? [] : ["nsenter", `--net=/proc/${network.pid}/ns/net`];
  const [program, ...args] = [...enter, "ip", "-batch", "-"];
  await execa(program, args, { input: commands.map((command) => `${command}\n`).join("") });
}

/** An empty directory in the place of that one, with some of its folders. It is made at /mnt, which is there. */
function hide(directory: string, folders: readonly string[]): string {
  const seen = folders.map((folder) => ({ folder, path: relative(directory, folder) })).filter(({ path }) => !path.startsWith(".."));
  return [
    "mount --no-mtab -t tmpfs -o mode=0755 lamina /mnt",
    ...seen.flatMap(({ folder, path }) => [`mkdir -p '/mnt/${path}'`, `mount --no-mtab --rbind '${folder}' '/mnt/${path}'`]),
    `mount --no-mtab --move /mnt '${directory}'`,
  ].join(" &&\n");
}

const OWN_MEMORY = "mount --no-mtab -t tmpfs -o mode=1777 lamina /dev/shm";
