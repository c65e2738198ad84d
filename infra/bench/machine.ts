/** Where and with what it was measured. */
import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import type { Bench } from "./bench.ts";

/** One sentence: when, the machine, and the versions of what was compared. */
export async function machineFacts({ buildctl }: Pick<Bench, "buildctl">): Promise<string> {
  const memory = Math.round(totalmem() / 2 ** 30);
  const model = cpus()[0]?.model.trim() || "unknown processor";
  const today = new Date().toISOString().slice(0, 10);
  const machine = `${availableParallelism()} cores (${model}), ${memory} GiB, ${await distribution()}, Linux ${release()}`;
  return `Measured on ${today} with ${machine}; Node ${process.versions.node}, BuildKit ${await buildctl.version()}.`;
}

async function distribution(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? process.platform;
}
