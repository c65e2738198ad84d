/**
 * The control groups of containers: one each with its limits, which stays after the container's own, inside of it, is gone. Both
 * versions: with the first, every controller has a hierarchy of its own.
 */
import { existsSync } from "node:fs";
import { readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";
/** Of the first version, those that limits are set by or runc makes groups in. */
const MOST_PROCESSES = 4_096;

export interface Limits {
  readonly cpu: number;
  readonly memoryMib: number;
}

/** In the terms of a container's config.json. */
export function cgroupLimits(limits: Limits | undefined): Record<string, unknown> {
  const pids = { limit: MOST_PROCESSES };
  if (limits === undefined) return { pids };
  const { cpu, memoryMib } = limits;
  const bytes = memoryMib * 1024 * 1024;
  return {
    memory: { limit: bytes, swap: bytes },
    cpu: { shares: Math.max(2, Math.round(cpu * 1024)), quota: Math.round(cpu * 100_000), period: 100_000 },
    pids,
  };
}

/** Whether something in the group was ended for want of memory. To be asked before the group is gone. */
export async function wasOutOfMemory(group: string): Promise<boolean> {
  const files = [join(ROOT, "memory", group, "memory.oom_control"), join(ROOT, group, "memory.events")];
  for (const file of files) {
    const text = await readFile(file, "utf8").catch(() => "");
    if (Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0) > 0) return true;
  }
  return false;
}

/** Removes the group and those in it, which have no processes any more. */
export async function removeCgroups(group: string): Promise<void> {
  const hierarchies = existsSync(join(ROOT, "cgroup.controllers")) ? [ROOT] : (await readdir(ROOT)).map((name) => join(ROOT, name));
  await Promise.all(hierarchies.map((hierarchy) => removeBelow(join(hierarchy, group))));
}

async function removeBelow(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeBelow(join(directory, entry.name));
  // One that is used again, or was never there, stays as it is.
  await rmdir(directory).catch(() => undefined);
}
