/** What makes one tree out of another: pure, so that a directory that holds the one need not be made anew for the other. */
import { sortEntries, type TreeEntry } from "@lamina/ir";

/** The entries by their paths, every directory before what it holds. */
export type TreeIndex = ReadonlyMap<string, TreeEntry>;

export interface TreeChanges {
  /** What goes, the content of a directory before it. */
  readonly removed: readonly TreeEntry[];
  /** What is new or other than before, a directory before its content. */
  readonly made: readonly TreeEntry[];
  /** Directories that stay and get or lose something, as they are afterwards. */
  readonly entered: readonly TreeEntry[];
}

/** A tree that no directory can hold. */
export class TreeError extends Error {
  override readonly name = "TreeError";
}

/** Directories that are only in the paths of others are among it. @throws {TreeError} for two entries in one place */
export function indexOf(entries: readonly TreeEntry[]): TreeIndex {
  const index = new Map<string, TreeEntry>();
  const requireDirectory = (path: string): void => {
    const there = index.get(path);
    if (there?.kind === "directory") return;
    if (there !== undefined) throw new TreeError("it has two entries in one place");
    add({ kind: "directory", path, mode: 0o755 });
  };
  const add = (entry: TreeEntry): void => {
    if (index.has(entry.path)) throw new TreeError("it has two entries in one place");
    const parent = parentOf(entry.path);
    if (parent !== "") requireDirectory(parent);
    index.set(entry.path, entry);
  };
  for (const entry of sortEntries(entries)) add(entry);
  return index;
}

export function changesBetween(before: TreeIndex, after: TreeIndex): TreeChanges {
  const made = [...after.values()].filter((entry) => !isSame(entry, before.get(entry.path)));
  const removed = [...before.values()].filter((entry) => {
    const next = after.get(entry.path);
    return next === undefined || (!isSame(next, entry) && (next.kind !== "directory" || entry.kind !== "directory"));
  });
  const parents = new Set([...removed, ...made].map(({ path }) => parentOf(path)));
  const entered = [...after.values()].filter(
    ({ path, kind }) => kind === "directory" && parents.has(path) && before.get(path)?.kind === "directory",
  );
  return { removed: removed.toReversed(), made, entered };
}

/** How many entries two trees share. */
export function sharedEntries(a: TreeIndex, b: TreeIndex): number {
  let shared = 0;
  for (const entry of a.values()) if (isSame(entry, b.get(entry.path))) shared += 1;
  return shared;
}

/** Whether an entry is what lies in its place. */
export function isSame(a: TreeEntry, b: TreeEntry | undefined): boolean {
  switch (a.kind) {
    case "file":
      return b?.kind === "file" && a.digest === b.digest && a.mode === b.mode;
    case "link":
      return b?.kind === "link" && a.target === b.target;
    default:
      return b?.kind === a.kind && a.mode === b.mode;
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
