/** The processes of this machine, from /proc. */
import { readdir, readFile } from "node:fs/promises";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** The name of its program, as the kernel cuts it. */
  readonly name: string;
  /** Its arguments, joined by blanks; empty for a thread of the kernel and for what has ended. */
  readonly command: string;
}

/** All that run now. */
export async function processes(): Promise<Process[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  return (await Promise.all(pids.map(readProcess))).filter((found) => found !== undefined);
}

/** A process and all that it has started, directly or not; parents come before their children. */
export function treeOf(pid: number, all: readonly Process[]): Process[] {
  const root = all.find((one) => one.pid === pid);
  if (root === undefined) return [];
  const children = all.filter(({ parent }) => parent === pid);
  return [root, ...children.flatMap((child) => treeOf(child.pid, all))];
}

async function readProcess(pid: number): Promise<Process | undefined> {
  try {
    const [stat, command] = await Promise.all([readFile(`/proc/${pid}/stat`, "utf8"), readFile(`/proc/${pid}/cmdline`, "utf8")]);
    // The name stands in brackets and may hold anything; the state and the parent follow it.
    const end = stat.lastIndexOf(")");
    const [state, parent] = stat.slice(end + 2).split(" ");
    if (state === "Z" || state === "X") return undefined;
    return {
      pid,
      parent: Number(parent),
      name: stat.slice(stat.indexOf("(") + 1, end),
      command: command.replaceAll("\0", " ").trim(),
    };
  } catch {
    // It ended while it was read.
    return undefined;
  }
}
