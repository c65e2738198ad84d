/** `npm run bench -- large-context`: a context of several gigabytes, and the memory that each of our processes takes for it. */
import { randomFillSync } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import type { Bench } from "./bench.ts";
import { CLI } from "./lamina.ts";
import { watchPeaks } from "./memory.ts";

export const LARGE_CONTEXT = "large-context";

const MIB = 2 ** 20;
const FILES = 20;
const FILE_BYTES = 256 * MIB;
const MEGABYTE = 1e6;
const MOST_BYTES = 300 * MEGABYTE;

/** @returns a line a process, and whether each stays below the limit */
export async function largeContext({
  directory,
  userFile,
}: Pick<Bench, "directory" | "userFile">): Promise<{ lines: string[]; met: boolean }> {
  const files = await directory();
  for (let index = 0; index < FILES; index += 1) await writeLargeFile(join(files, `file-${index}`));
  const file = await userFile("large-context.ts");
  const startedAt = performance.now();
  const build = execa(process.execPath, [CLI, "build", file], { stdin: "ignore", env: { BENCH_FILES: files } });
  const watched = watchPeaks(new Map([["client", build.pid ?? 0], ...(await platformProcesses())]));
  try {
    await build;
  } finally {
    watched.stop();
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const peaks = [...watched.peaks];
  const rows = peaks.map(
    ([name, bytes]) => `  ${name.padEnd(14)} ${Math.round(bytes / MEGABYTE)} MB${bytes > MOST_BYTES ? ", too much" : ""}`,
  );
  const gibibytes = (FILES * FILE_BYTES) / 2 ** 30;
  return {
    lines: [
      `${gibibytes} GiB in ${FILES} files, built in ${seconds.toFixed(1)} s; the most memory that each process of ours took:`,
      ...rows,
    ],
    met: peaks.every(([, bytes]) => bytes <= MOST_BYTES),
  };
}

const OURS = ["control-plane", "builder", "runner"];
const Status = z.object({ pid: z.int(), processes: z.array(z.object({ name: z.string(), pid: z.int() })) });

async function platformProcesses(): Promise<[name: string, pid: number][]> {
  const { stdout } = await execa(process.execPath, [CLI, "status", "--json"], { stdin: "ignore" });
  const { pid, processes } = Status.parse(JSON.parse(stdout));
  return [["supervisor", pid], ...processes.filter(({ name }) => OURS.includes(name)).map((one): [string, number] => [one.name, one.pid])];
}

/** A quarter of it is random: so large that it is no matter to the memory, and the disk holds what comes of it. */
async function writeLargeFile(path: string): Promise<void> {
  await using file = await open(path, "w");
  const piece = Buffer.alloc(MIB);
  for (let written = 0; written < FILE_BYTES; written += MIB) {
    randomFillSync(piece, 0, MIB / 4);
    for (let at = MIB / 4; at < MIB; at += MIB / 4) piece.copy(piece, at, 0, MIB / 4);
    await file.write(piece);
  }
}
