/**
 * What may happen to a process that is supervised in a directory (a platform's or a set of servers'): it is
 * killed, and its supervisor starts it again; it stops for a while, as on a machine that swaps or sleeps.
 */
import { setTimeout as delay } from "node:timers/promises";
import { identify, isAlive, runningServers } from "@lamina/servers";
import { type Process, processes, treeOf } from "./process-tree.ts";

/** Sends a signal to a server, and resolves when it is gone. */
export async function killServer(directory: string, name: string, signal: "SIGKILL" | "SIGINT" | "SIGTERM" = "SIGKILL"): Promise<void> {
  const identity = await identify((await serverProcess(directory, name)).pid);
  if (identity === undefined) return;
  signalIfThere(identity.pid, signal);
  while (await isAlive(identity)) await delay(POLL_MS);
}

export interface Frozen {
  /** Lets it go on. */
  readonly thaw: () => void;
}

/** Stops a server, with all that it has started unless it is to be `alone`. */
export async function freezeServer(directory: string, name: string, { alone = false } = {}): Promise<Frozen> {
  const stopped = new Set<number>();
  const stop = ({ pid }: Process): void => {
    if (signalIfThere(pid, "SIGSTOP")) stopped.add(pid);
  };
  if (alone) stop(await serverProcess(directory, name));
  // A parent that is stopped starts nothing more: the second look finds what the first was too early for.
  else for (let look = 0; look < 2; look += 1) (await supervisedTree(directory, name)).forEach(stop);
  return { thaw: () => stopped.forEach((pid) => signalIfThere(pid, "SIGCONT")) };
}

/** A supervised process and all that it has started, waiting for it where it is just being started again. */
export async function supervisedTree(directory: string, name: string): Promise<Process[]> {
  for (;;) {
    const server = (await runningServers(directory)).find((running) => running.name === name);
    const tree = server === undefined ? [] : treeOf(server.pid, await processes());
    if (tree.length > 0) return tree;
    await delay(POLL_MS);
  }
}

/** The server itself, without what gives it its name spaces. */
export function serverIn(tree: readonly Process[]): Process | undefined {
  return tree.find(({ name }) => !WRAPPERS.has(name));
}

const WRAPPERS: ReadonlySet<string> = new Set(["unshare", "sh"]);
const POLL_MS = 10;

async function serverProcess(directory: string, name: string): Promise<Process> {
  for (;;) {
    const server = serverIn(await supervisedTree(directory, name));
    if (server !== undefined) return server;
    await delay(POLL_MS);
  }
}

/** @returns whether there is such a process */
function signalIfThere(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
