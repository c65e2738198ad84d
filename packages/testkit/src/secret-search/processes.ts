/** A watch over what every process of the machine shows of itself while something goes on. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { createFinder, type Find } from "./finder.ts";

export interface Sighting extends Find {
  /** `arguments` or `environment`. */
  readonly place: string;
  readonly command: string;
  /** Of the process; those of a container have one of their own. */
  readonly namespace: string;
}

export interface ProcessWatch {
  /** What was seen up to now, each once. */
  seen(): Sighting[];
  /** Ends it. */
  stop(): Promise<void>;
}

const LOOK_EVERY_MS = 100;

/** Looks at the arguments and the environment of all processes, again and again. */
export function watchProcesses(secrets: Readonly<Record<string, string>>): ProcessWatch {
  const stopped = new AbortController();
  const sightings = new Map<string, Sighting>();
  const watch = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      for (const sighting of await lookAtAll(secrets)) sightings.set(JSON.stringify(sighting), sighting);
      await delay(LOOK_EVERY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const watching = watch();
  return {
    seen: () => [...sightings.values()],
    async stop() {
      stopped.abort();
      await watching;
    },
  };
}

async function lookAtAll(secrets: Readonly<Record<string, string>>): Promise<Sighting[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  return (await Promise.all(pids.map((pid) => lookAt(`/proc/${pid}`, secrets)))).flat();
}

async function lookAt(process: string, secrets: Readonly<Record<string, string>>): Promise<Sighting[]> {
  const finder = createFinder(secrets);
  try {
    const [command, environment] = await Promise.all([readFile(`${process}/cmdline`), readFile(`${process}/environ`)]);
    finder.look("arguments", command);
    finder.look("environment", environment);
    if (finder.finds.length === 0) return [];
    const namespace = await readlink(`${process}/ns/pid`);
    return finder.finds.map((find) => ({ ...find, command: command.toString().replaceAll("\0", " ").trim(), namespace }));
  } catch {
    // It ended while it was looked at.
    return [];
  }
}
