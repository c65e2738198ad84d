/** Local files as a tree: what is in it, the digest that names it, and where its files lie. */
import { type Digest, sortEntries, type TreeEntry, treeDigest, treeMode } from "@lamina/ir";
import { readlink, realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import pLimit from "p-limit";
import type { Condition } from "./condition.ts";
import { type FileStamp, openFile, stampOf } from "./digest.ts";
import { type HashCache, openHashCache } from "./hash-cache.ts";
import type { Ignoring } from "./ignore.ts";
import { type Found, nameFault, Unsupported, walk } from "./walk.ts";

/** A file of a tree on this machine, as it was when its digest was taken. */
export interface LocalFile {
  readonly path: string;
  readonly stamp: FileStamp;
  /** It was read now, and not before in this state. */
  readonly isNew: boolean;
}

export interface LocalTree {
  readonly digest: Digest;
  readonly entries: readonly TreeEntry[];
  /** One file for each content. */
  readonly files: ReadonlyMap<Digest, LocalFile>;
  /** Keeps what was learnt by reading, so that the next reading need not read as much. */
  readonly remember: () => Promise<void>;
}

export interface ReadOptions {
  /** The directory of the digest cache. */
  readonly home: string;
  /** Whether to take what has this path, relative to the directory. */
  readonly wanted?: Condition;
  /** What is as if it were not in the directory. */
  readonly ignoring?: Ignoring | undefined;
}

/** What a local path is, a link at its end followed. */
export async function kindOf(path: string): Promise<"file" | "directory" | "other"> {
  const stats = await stat(path);
  if (stats.isFile()) return "file";
  return stats.isDirectory() ? "directory" : "other";
}

/** One file as a tree, under its own name or another. */
export async function readFileTree(
  path: string,
  { home, name = basename(path) }: Pick<ReadOptions, "home"> & { readonly name?: string },
): Promise<LocalTree> {
  const absolute = await realpath(path);
  const fault = nameFault(name);
  if (fault !== undefined) throw new Unsupported("reserved-file-name", `"${path}" ${fault}; rename it`);
  const found = { path: name, absolute, stats: await stat(absolute, { bigint: true }) };
  return readTree([found], await openHashCache({ home, root: absolute }));
}

/** The content of a directory as a tree. Links are kept as they are; owner and times are not part of it. @throws Unsupported, ChangedWhileRead */
export async function readDirectoryTree(path: string, { home, wanted = () => true, ignoring }: ReadOptions): Promise<LocalTree> {
  const root = await realpath(path);
  return readTree(await walk(root, { wanted, ignoring }), await openHashCache({ home, root }));
}

/** Enough to keep the disk busy, and far from what a process may have open. */
const OPEN_FILES = 16;

async function readTree(found: readonly Found[], cache: HashCache): Promise<LocalTree> {
  const limit = pLimit(OPEN_FILES);
  const read = new Set<string>();
  const entries = sortEntries(
    await Promise.all(
      found.map(async (one) => {
        const known = knownEntry(one, cache);
        if (known === undefined) read.add(one.path);
        return known ?? limit(() => readEntry(one, cache));
      }),
    ),
  );
  const files = new Map<Digest, LocalFile>();
  const places = new Map(found.map((one) => [one.path, one]));
  for (const entry of entries) {
    const one = places.get(entry.path);
    if (entry.kind === "file" && one !== undefined) {
      files.set(entry.digest, { path: one.absolute, stamp: stampOf(one.stats), isNew: read.has(entry.path) });
    }
  }
  return { digest: treeDigest(entries), entries, files, remember: () => cache.save() };
}

/** The entry of what need not be read, which most often is nearly all. */
function knownEntry({ path, absolute, stats }: Found, cache: HashCache): TreeEntry | undefined {
  const mode = treeMode(Number(stats.mode));
  if (stats.isDirectory()) return { kind: "directory", path, mode };
  if (stats.isFIFO()) return { kind: "fifo", path, mode };
  const digest = stats.isFile() ? cache.remembered(absolute, stampOf(stats)) : undefined;
  return digest === undefined ? undefined : { kind: "file", path, mode, size: Number(stats.size), digest };
}

async function readEntry({ path, absolute, stats }: Found, cache: HashCache): Promise<TreeEntry> {
  if (stats.isSymbolicLink()) return { kind: "link", path, target: await targetOf(absolute) };
  if (stats.isFile()) {
    const digest = await cache.digest(absolute, stampOf(stats));
    if (stats.size === 0n && (await holdsAnything(absolute))) {
      throw new Unsupported("special-file", `"${absolute}" is made as it is read, as what is in /proc and /sys; copy it to a file first`);
    }
    return { kind: "file", path, mode: treeMode(Number(stats.mode)), size: Number(stats.size), digest };
  }
  throw new Unsupported(
    "special-file",
    `"${absolute}" is a ${stats.isSocket() ? "socket" : "device"}, which an image cannot hold; leave it out`,
  );
}

/** Files of the kernel say that they are empty. */
async function holdsAnything(path: string): Promise<boolean> {
  await using file = await openFile(path);
  return (await file.read(Buffer.alloc(1), 0, 1, null)).bytesRead > 0;
}

async function targetOf(link: string): Promise<string> {
  const bytes = await readlink(link, { encoding: "buffer" });
  const target = bytes.toString("utf8");
  if (!Buffer.from(target).equals(bytes))
    throw new Unsupported("name-not-utf8", `the link "${link}" has a target that is not UTF-8; leave it out`);
  return target;
}
