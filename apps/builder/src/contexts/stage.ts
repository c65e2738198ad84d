/**
 * Staging: the directories from which BuildKit copies, made exactly as their trees say. Names and
 * bytes are those of the tree, modes too; owner and times are of no meaning here (COPY makes the
 * owner 0:0).
 *
 * Order matters: files first, links after them and modes last, so that nothing is ever written
 * through a link, and a directory that may not be written to gets what it holds.
 */
import { chmod, copyFile, mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ImageLocation } from "@lamina/api";
import type { Digest, LoweredContext, TreeEntry } from "@lamina/ir";
import type { Repository } from "@lamina/registry";
import { execa } from "execa";
import pLimit from "p-limit";
import { PackError, unpack } from "./packs.ts";
import { contextError, corrupt, readTree, type Tree } from "./trees.ts";

export type TreeContext = Extract<LoweredContext, { kind: "directory" | "file" }>;

export interface StageOptions {
  /** An empty directory. */
  readonly directory: string;
  /** The manifest of each tree. */
  readonly trees: Readonly<Record<Digest, ImageLocation>>;
  readonly repository: (location: ImageLocation) => Repository;
  readonly signal: AbortSignal;
}

/**
 * Fetches the trees of these contexts and stages each.
 * @returns the directory of each context, by its name
 * @throws {LaminaError} CONTEXT_MISSING, CONTEXT_CORRUPT, REGISTRY_UNAVAILABLE
 */
export async function stageContexts(contexts: readonly TreeContext[], options: StageOptions): Promise<Map<string, string>> {
  const staged = new Map<string, string>();
  for (const { name, kind, tree: digest } of contexts) {
    const { repository, location } = treeSource(digest, options);
    const tree = await readTree(digest, { repository, location, signal: options.signal });
    const directory = join(options.directory, name);
    await stageTree(tree, join(directory, kind === "file" ? "f" : "t"), options.signal);
    staged.set(name, directory);
  }
  return staged;
}

const PACKS_AT_ONCE = 3;

/** Makes a directory that is the tree. */
export async function stageTree(tree: Tree, root: string, signal: AbortSignal): Promise<void> {
  const place = (path: string) => join(root, path);
  const { directories, files, links, fifos } = byKind(tree.entries);
  await mkdir(root, { recursive: true });
  try {
    for (const { path } of directories) await mkdir(place(path), { recursive: true });
    await writeFiles(tree, { files, place, signal });
    for (const { path, mode } of fifos) await execa("mkfifo", ["--", place(path)]).then(() => chmod(place(path), mode));
    for (const { path, target } of links) await symlink(target, place(path));
    for (const { path, mode } of directories.toReversed()) await chmod(place(path), mode);
  } catch (error) {
    throw stagingError(error, tree, signal);
  }
}

interface FilePlaces {
  readonly files: readonly Extract<TreeEntry, { kind: "file" }>[];
  readonly place: (path: string) => string;
  readonly signal: AbortSignal;
}

/** Each content is written once from its pack, and copied where the tree has it again. */
async function writeFiles(tree: Tree, { files, place, signal }: FilePlaces): Promise<void> {
  const firstPlaces = new Map<Digest, string>();
  for (const { path, digest } of files) {
    await mkdir(dirname(place(path)), { recursive: true });
    if (!firstPlaces.has(digest)) firstPlaces.set(digest, place(path));
  }
  const wanted = new Map(firstPlaces);
  const limit = pLimit(PACKS_AT_ONCE);
  await Promise.all(tree.packs.map((pack) => limit(() => unpack(pack, { repository: tree.repository, wanted, signal }))));
  const [missing] = wanted.keys();
  if (missing !== undefined) throw new PackError(`its file ${missing} is in none of its packs`);
  for (const { path, digest } of files) {
    const first = firstPlaces.get(digest);
    if (first !== undefined && first !== place(path)) await copyFile(first, place(path));
  }
  for (const { path, mode } of files) await chmod(place(path), mode);
}

function byKind(entries: readonly TreeEntry[]) {
  return {
    directories: entries.filter((entry) => entry.kind === "directory"),
    files: entries.filter((entry) => entry.kind === "file"),
    links: entries.filter((entry) => entry.kind === "link"),
    fifos: entries.filter((entry) => entry.kind === "fifo"),
  };
}

function treeSource(digest: Digest, { trees, repository }: StageOptions): { repository: Repository; location: ImageLocation } {
  const location = trees[digest];
  if (location === undefined) throw corrupt(digest, "the control plane does not say where it lies");
  return { repository: repository(location), location };
}

/** A path that is there twice, or below one that is no directory, is a fault of the tree. */
function stagingError(error: unknown, tree: Tree, signal: AbortSignal): unknown {
  if (error instanceof PackError) return corrupt(tree.digest, error.message, error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EEXIST" || code === "ENOTDIR") return corrupt(tree.digest, "it has two entries in one place", error);
  return contextError(error, tree.digest, signal);
}
