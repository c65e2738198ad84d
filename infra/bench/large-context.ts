/** `npm run bench -- large-context large-file`: contexts of several gigabytes, and the memory that each of our processes takes for them. */
import { randomFillSync } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import type { Bench } from "./bench.ts";
import { CLI } from "./lamina.ts";
import { forgetPeaks, watchPeaks } from "./memory.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const MEGABYTE = 1e6;
const MOST_BYTES = 300 * MEGABYTE;

interface LargeContext {
  readonly files: number;
  /** Of each. */
  readonly bytes: number;
}

/** By the names that the command line has for them. */
export const largeContexts: ReadonlyMap<string, LargeContext> = new Map([
  ["large-context", { files: 20, bytes: 256 * MIB }],
  ["large-file", { files: 1, bytes: 5 * GIB }],
]);

/** @returns a line a process, and whether each stays below the limit */
export async function buildLargeContext(
  { files, bytes }: LargeContext,
  { directory, userFile }: Pick<Bench, "directory" | "userFile">,
): Promise<{ lines: string[]; met: boolean }> {
  const place = await directory();
  for (let index = 0; index < files; index += 1) await writeLargeFile(join(place, `file-${index}`), bytes);
  const file = await userFile("large-context.ts");
  const ours = await platformProcesses();
  await forgetPeaks(ours.map(([, pid]) => pid));
  const startedAt = performance.now();
  const build = execa(process.execPath, [CLI, "build", file], { stdin: "ignore", env: { BENCH_FILES: place } });
  const watched = watchPeaks(new Map([["client", build.pid ?? 0], ...ours]));
  try {
    await build;
  } finally {
    watched.stop();
    await rm(place, { recursive: true });
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const peaks = [...watched.peaks];
  const rows = peaks.map(
    ([name, peak]) => `  ${name.padEnd(14)} ${Math.round(peak / MEGABYTE)} MB${peak > MOST_BYTES ? ", too much" : ""}`,
  );
  return {
    lines: [
      `${(files * bytes) / GIB} GiB in ${files === 1 ? "one file" : `${files} files`}, built in ${seconds.toFixed(1)} s; the most memory that each process of ours took:`,
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
async function writeLargeFile(path: string, bytes: number): Promise<void> {
  await using file = await open(path, "w");
  const piece = Buffer.alloc(MIB);
  for (let written = 0; written < bytes; written += MIB) {
    randomFillSync(piece, 0, MIB / 4);
    for (let at = MIB / 4; at < MIB; at += MIB / 4) piece.copy(piece, at, 0, MIB / 4);
    await file.write(piece);
  }
}
