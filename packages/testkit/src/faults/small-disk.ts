import { execFile } from "node:child_process";
import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A file system of its own that is soon full. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Gives it another size. */
  resize(megabytes: number): Promise<void>;
}

/** Mounts a file system of that size, in memory. Needs root. */
export async function smallDisk(megabytes: number): Promise<SmallDisk> {
  const path = await mkdtemp(join(tmpdir(), "lamina-disk-"));
  await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0700`, "lamina-test", path]);
  return {
    path,
    resize: async (size) => void (await run("mount", ["-o", `remount,size=${size}m`, path])),
    async [Symbol.asyncDispose]() {
      await run("umount", [path]);
      await rmdir(path);
    },
  };
}
