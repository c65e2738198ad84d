/** How much memory processes take at most. */
import { readFile, writeFile } from "node:fs/promises";

export interface Peaks {
  /** In bytes, by the name of each process. */
  readonly peaks: ReadonlyMap<string, number>;
  stop(): void;
}

const POLL_MS = 200;

/** As proc_pid_clear_refs(5) has it. */
const FORGET_PEAK = "5";

/** Has peaks begin now. */
export async function forgetPeaks(pids: readonly number[]): Promise<void> {
  for (const pid of pids) await writeFile(`/proc/${pid}/clear_refs`, FORGET_PEAK);
}

/** The kernel keeps the peak of a process as long as that lives, so it is read again and again. */
export function watchPeaks(processes: ReadonlyMap<string, number>): Peaks {
  const peaks = new Map<string, number>();
  const look = async (): Promise<void> => {
    for (const [name, pid] of processes) {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      const kilobytes = /^VmHWM:\s+(\d+)/m.exec(status)?.[1];
      if (kilobytes !== undefined) peaks.set(name, Number(kilobytes) * 1024);
    }
  };
  const timer = setInterval(() => void look(), POLL_MS);
  return { peaks, stop: () => clearInterval(timer) };
}
