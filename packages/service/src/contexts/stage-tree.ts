/**
 * Makes a directory that holds one tree hold another, exactly as it says. Names and bytes are those of
 * the tree, modes too; owner and times are of no meaning here (COPY makes the owner 0:0).
 *
 * Order matters: what goes first, then directories, files, links and modes last, so that nothing is ever
 * written through a link, and a directory that may not be written to gets what it holds. Small calls are not
 * asynchronous: waiting in turn for each of thousands takes many times as long.
 */
import { chmodSync, copyFileSync, mkdirSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Digest, TreeEntry } from "@lamina/ir";
import { execa } from "execa";
import pLimit from "p-limit";
import { PackError, unpack } from "./packs.ts";
import { changesBetween, isSame, type TreeIndex } from "./tree-changes.ts";
import type { Tree } from "./trees.ts";

export interface TreeStep {
  /** What the directory holds now. */
  readonly before: TreeIndex;
  /** What it is to hold: the entries of the tree. */
  readonly after: TreeIndex;
  /** Where its files are. */
  readonly tree: Pick<Tree, "repository" | "packs">;
  readonly signal: AbortSignal;
}

/** When it throws, the directory holds something between the two. @throws {PackError} */
export async function changeTree(root: string, step: TreeStep): Promise<void> {
  const { before, after } = step;
  const { removed, made, entered } = changesBetween(before, after);
  const place = (path: string) => join(root, path);
  const directories = made.filter((entry) => entry.kind === "directory");

  for (const { path } of entered) chmodSync(place(path), 0o700);
  for (const { kind, path } of removed) (kind === "directory" ? rmdirSync : unlinkSync)(place(path));
  for (const { path } of directories) mkdirSync(place(path), { recursive: true });
  await writeFiles(
    made.filter((entry) => entry.kind === "file"),
    { ...step, place },
  );
  for (const entry of made) {
    if (entry.kind === "link") symlinkSync(entry.target, place(entry.path));
    if (entry.kind === "fifo") await execa("mkfifo", ["--", place(entry.path)]).then(() => chmodSync(place(entry.path), entry.mode));
  }
  const changed = [...entered, ...directories].toSorted((a, b) => b.path.length - a.path.length);
  for (const entry of changed) if ("mode" in entry) chmodSync(place(entry.path), entry.mode);
}

type FileEntry = Extract<TreeEntry, { kind: "file" }>;

interface FilesStep extends TreeStep {
  readonly place: (path: string) => string;
}

const PACKS_AT_ONCE = 3;

/** Each content is written once from its pack, and copied where the tree has it again. */
async function writeFiles(files: readonly FileEntry[], { before, after, tree, place, signal }: FilesStep): Promise<void> {
  const sources = new Map<Digest, string>();
  for (const entry of before.values()) if (isReadable(entry) && stays(entry, after)) sources.set(entry.digest, entry.path);
  const wanted = new Map<Digest, string>();
  for (const { digest, path } of files) {
    if (sources.has(digest)) continue;
    sources.set(digest, path);
    wanted.set(digest, place(path));
  }
  const limit = pLimit(PACKS_AT_ONCE);
  const fetch = (pack: Digest) => (wanted.size === 0 ? undefined : unpack(pack, { repository: tree.repository, wanted, signal }));
  await Promise.all(tree.packs.map((pack) => limit(() => fetch(pack))));
  const [missing] = wanted.keys();
  if (missing !== undefined) throw new PackError(`its file ${missing} is in none of its packs`);
  for (const { path, digest } of files) {
    const source = sources.get(digest);
    if (source !== undefined && source !== path) copyFileSync(place(source), place(path));
  }
  for (const { path, mode } of files) chmodSync(place(path), mode);
}

function isReadable(entry: TreeEntry): entry is FileEntry {
  return entry.kind === "file" && (entry.mode & 0o400) !== 0;
}

function stays(entry: TreeEntry, after: TreeIndex): boolean {
  return isSame(entry, after.get(entry.path));
}
