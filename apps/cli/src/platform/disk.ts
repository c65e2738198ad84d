/** How much room the platform takes, and how much is left. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

/** What is kept in the home, as people know it, and the folder that it is in. */
const KEPT = {
  "build cache": "buildkit",
  images: "registry",
  "unpacked images": "containerd",
  database: "postgres",
  events: "nats",
  logs: "logs",
};

/** Bytes on disk by what they are kept for; what is not there is left out. */
export async function sizes(home: string): Promise<Record<string, number>> {
  const there = Object.entries(KEPT).filter(([, folder]) => existsSync(path.join(home, folder)));
  const measured = await Promise.all(there.map(async ([what, folder]) => [what, await bytesIn(path.join(home, folder))] as const));
  return Object.fromEntries(measured);
}

/** Bytes that are free for us on the file system of a directory. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** `du` fails where a file goes away under it; what it counted still stands. */
async function bytesIn(directory: string): Promise<number> {
  const du = promisify(execFile)("du", ["--summarize", "--block-size=1", "--one-file-system", directory]);
  const { stdout } = await du.catch((error: { readonly stdout?: string }) => ({ stdout: error.stdout ?? "" }));
  return Number.parseInt(stdout, 10) || 0;
}
