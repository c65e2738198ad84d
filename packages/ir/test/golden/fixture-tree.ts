/** Trees of files that tests write down, name and put on the disk. */
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Digest, type TreeEntry, sortEntries, treeDigest } from "../../src/index.ts";

export type FixtureEntry =
  | { readonly kind: "file"; readonly path: string; readonly content: string | Uint8Array; readonly mode: number; readonly mtime?: Date }
  | { readonly kind: "directory"; readonly path: string; readonly mode: number }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "fifo"; readonly path: string; readonly mode: number };

export interface FixtureTree {
  readonly digest: Digest;
  readonly entries: readonly FixtureEntry[];
}

export function file(path: string, content: string | Uint8Array, mode = 0o644): Extract<FixtureEntry, { kind: "file" }> {
  return { kind: "file", path, content, mode };
}

export function directory(path: string, mode = 0o755): FixtureEntry {
  return { kind: "directory", path, mode };
}

export function link(path: string, target: string): FixtureEntry {
  return { kind: "link", path, target };
}

export function fifo(path: string, mode = 0o644): FixtureEntry {
  return { kind: "fifo", path, mode };
}

export function fixtureTree(...entries: readonly FixtureEntry[]): FixtureTree {
  return { digest: treeDigest(entries.map(treeEntry)), entries };
}

export function treeEntry(entry: FixtureEntry): TreeEntry {
  if (entry.kind !== "file") return entry;
  const { kind, path, mode, content } = entry;
  return { kind, path, mode, size: Buffer.byteLength(content), digest: `sha256:${createHash("sha256").update(content).digest("hex")}` };
}

/** Writes a tree below an existing directory, as a builder stages it. */
export async function writeTree(tree: FixtureTree, root: string): Promise<void> {
  const sorted = sortEntries(tree.entries.map(treeEntry));
  const byPath = new Map(tree.entries.map((entry) => [entry.path, entry]));
  const directories: FixtureEntry[] = [];
  for (const { path } of sorted) {
    const entry = byPath.get(path);
    if (entry === undefined) continue;
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    switch (entry.kind) {
      case "file":
        await writeFile(target, entry.content);
        await chmod(target, entry.mode);
        if (entry.mtime !== undefined) await utimes(target, entry.mtime, entry.mtime);
        break;
      case "directory":
        await mkdir(target, { recursive: true });
        directories.unshift(entry);
        break;
      case "link":
        await symlink(entry.target, target);
        break;
      case "fifo":
        execFileSync("mkfifo", ["-m", entry.mode.toString(8), target]);
    }
  }
  for (const entry of directories) if (entry.kind === "directory") await chmod(join(root, entry.path), entry.mode);
}
