/** Containers of functions as processes of this machine, and what must not be left of them. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { OwnServers } from "../own-servers.ts";
import type { TestPlatform } from "../platform.ts";
import { type Process, processes, treeOf } from "./process-tree.ts";
import { supervisedTree } from "./processes.ts";

const HARNESS = "/lamina/harness/";
/** The first process of the runner's containers, and what brought it there. */
const HOLDER: ReadonlySet<string> = new Set(["unshare", "sleep"]);
const WAY_OUT = "slirp4netns";

/** The processes of functions that are in containers of the platform's runner; none while the runner is being started again. */
export async function functionProcesses({ directory }: Pick<TestPlatform, "directory">): Promise<Process[]> {
  return (await supervisedTree(directory, "runner")).filter(({ command }) => command.includes(HARNESS));
}

/**
 * Names what is left of functions although their apps have been stopped: processes, mounts and directories of containers, queues, and
 * messages. One place for a container may be kept in reserve, with its network. Empty when nothing is left.
 */
export async function functionLeftovers(platform: TestPlatform, { nats }: Pick<OwnServers, "nats">): Promise<string[]> {
  const found = await Promise.all([processesLeft(platform), placesLeft(platform), queuesLeft(platform, nats)]);
  return found.flat();
}

async function processesLeft({ directory }: TestPlatform): Promise<string[]> {
  const [runner, ...below] = await supervisedTree(directory, "runner");
  const all = await processes();
  const known = new Set(treeOf(runner?.pid ?? 0, all).map(({ pid }) => pid));
  const others = all.filter(({ pid, name, command }) => name === WAY_OUT && command.includes(directory) && !known.has(pid));
  const reserve = below.filter(({ name }) => name === WAY_OUT).slice(0, 1);
  const isOfReserve = ({ pid }: Process): boolean =>
    reserve.some((way) => treeOf(pid, below).includes(way) || treeOf(way.pid, below).some((one) => one.pid === pid));
  const left = below.filter((one) => !HOLDER.has(one.name) && !isOfReserve(one));
  return [...left, ...others].map(({ pid, command, name }) => `process ${pid}: ${command || name}`);
}

async function placesLeft({ directory }: TestPlatform): Promise<string[]> {
  const holder = (await supervisedTree(directory, "runner")).find(({ name }) => name === "sleep");
  const inside = holder === undefined ? "" : await readFile(`/proc/${holder.pid}/mounts`, "utf8");
  const here = await readFile("/proc/self/mounts", "utf8");
  const targets = `${inside}${here}`.split("\n").map((line) => line.split(" ")[1] ?? "");
  const functions = join(directory, "runner/functions");
  const networks = targets.filter((target) => target.startsWith(`${functions}/holder/networks/`)).slice(1);
  const roots = targets.filter((target) => target.startsWith(`${functions}/containers/`));
  const places = (await readdir(join(functions, "containers"))).slice(1);
  return [...[...networks, ...roots].map((target) => `mount ${target}`), ...places.map((place) => `container ${place}`)];
}

async function queuesLeft({ namespace }: TestPlatform, { url, user, password }: OwnServers["nats"]): Promise<string[]> {
  const connection = await connect({ servers: url, user, pass: password });
  try {
    const manager = await jetstreamManager(connection);
    const { state } = await manager.streams.info(`${namespace}-calls`);
    return [
      ...(state.messages === 0 ? [] : [`${state.messages} messages of calls`]),
      ...(state.consumer_count === 0 ? [] : [`${state.consumer_count} queues of calls`]),
    ];
  } finally {
    await connection.close();
  }
}
