import { readFile } from "node:fs/promises";
import { readServerRecords } from "./pid-file.ts";
import { isAlive } from "./process-identity.ts";

/** Linux counts the start of a process in hundredths of a second on every architecture that we run on. */
const TICKS_PER_SECOND = 100;

/** A supervised process that is alive now. */
export interface RunningServer {
  readonly name: string;
  readonly pid: number;
  readonly since: Date;
}

/** The processes that are supervised in the directory and alive, by name. */
export async function runningServers(directory: string): Promise<RunningServer[]> {
  const bootedAt = await bootSeconds();
  const records = await Promise.all(
    [...(await readServerRecords(directory))].map(async ([name, record]) => {
      if (!(await isAlive(record))) return [];
      const ticks = Number(record.startedAt.split("/")[1]);
      return [{ name, pid: record.pid, since: new Date((bootedAt + ticks / TICKS_PER_SECOND) * 1000) }];
    }),
  );
  return records.flat().sort((a, b) => a.name.localeCompare(b.name));
}

/** When the machine was started, in seconds since 1970. */
async function bootSeconds(): Promise<number> {
  const line = /^btime (\d+)$/m.exec(await readFile("/proc/stat", "utf8"));
  return Number(line?.[1]);
}
