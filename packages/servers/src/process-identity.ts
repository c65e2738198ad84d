import { readFile } from "node:fs/promises";

/** A process, told apart from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The boot of the machine and the clock ticks from it to the start of the process. */
  readonly startedAt: string;
}

/** The identity of the live process with that number, or undefined when there is none. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field, the name, may hold anything; what follows it is plain: state is the 3rd field, the start time the 22nd.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === "Z" || state === "X") return undefined;
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
  return { pid, startedAt: `${boot.trim()}/${startTicks}` };
}

/** Whether exactly that process, and not a later one with its number, is alive. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.startedAt === identity.startedAt;
}

/** The number of a process's first child, or undefined when it has none. */
export async function firstChild(pid: number): Promise<number | undefined> {
  const children = await readIfThere(`/proc/${pid}/task/${pid}/children`);
  const first = Number(children?.split(" ")[0]);
  return first > 0 ? first : undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    // ESRCH: the process ended between the opening and the reading.
    if (error.code === "ENOENT" || error.code === "ESRCH") return undefined;
    throw error;
  });
}
