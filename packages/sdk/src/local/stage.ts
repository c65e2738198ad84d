/** Writes a tree of local files to a directory, exactly as it is: names, bytes, modes, links, FIFOs. */
import type { TreeEntry } from "@lamina/ir";
import { chmod, mkdir, open, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { chunksOf, openFile } from "./digest.ts";
import type { LocalFile, LocalTree } from "./tree.ts";

/** Makes `directory` hold the tree. Directories get their modes last, so that one that may not be written to gets what it holds. */
export async function stageTree({ entries, files }: LocalTree, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const entry of entries) {
    const place = join(directory, entry.path);
    await mkdir(dirname(place), { recursive: true });
    await make(entry, place, files);
  }
  for (const entry of entries.toReversed()) if (entry.kind === "directory") await chmod(join(directory, entry.path), entry.mode);
}

/** Removes a directory that holds such trees, whose directories may not all be writable. */
export async function removeTrees(directory: string): Promise<void> {
  const remove = () => rm(directory, { recursive: true, force: true });
  await remove().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EACCES") throw error;
    await run("chmod", ["-R", "u+rwX", "--", directory]);
    await remove();
  });
}

async function make(entry: TreeEntry, place: string, files: LocalTree["files"]): Promise<void> {
  switch (entry.kind) {
    case "directory":
      await mkdir(place, { recursive: true });
      return;
    case "link":
      return symlink(entry.target, place);
    case "fifo":
      await run("mkfifo", ["--", place]);
      return chmod(place, entry.mode);
    case "file": {
      const file = files.get(entry.digest);
      if (file === undefined) throw new RangeError(`the tree has no file for ${entry.path}`);
      await copy(file, place);
      return chmod(place, entry.mode);
    }
  }
}

async function copy({ path, stamp }: LocalFile, place: string): Promise<void> {
  await using source = await openFile(path);
  await using target = await open(place, "wx");
  await pipeline(chunksOf(source, { path, stamp }), target.createWriteStream());
}

/** What runs programs is slow to load, and rarely needed. */
async function run(program: string, args: readonly string[]): Promise<void> {
  const { execFile } = await import("node:child_process");
  await promisify(execFile)(program, args);
}
