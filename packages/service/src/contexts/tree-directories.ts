/**
 * Directories that hold trees, kept from one attempt to the next, so that of a tree of which little has changed
 * little has to be fetched and written. BuildKit does the same under the name of each, with what is copied to it.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@lamina/ir";
import { removeTree } from "./remove-tree.ts";
import { changeTree } from "./stage-tree.ts";
import { indexOf, sharedEntries, type TreeIndex } from "./tree-changes.ts";
import type { Tree } from "./trees.ts";

export interface TreeDirectories {
  /** A directory that holds the tree, under the name that `below` says. It is the caller's until disposed. @throws {TreeError}, {PackError} */
  stage(tree: Tree, below: string, signal: AbortSignal): Promise<StagedTree>;
}

export interface StagedTree extends AsyncDisposable {
  readonly directory: string;
  /** Tells it apart from all others of this builder, and is the same when it is used again. */
  readonly name: string;
}

export interface TreeDirectoriesOptions {
  /** An empty directory. */
  readonly directory: string;
  /** What the name of each begins with. */
  readonly prefix: string;
}

/** Of directories that nobody uses so many are kept at most, and no more than so many bytes in all. */
const KEPT = 8;
const KEPT_BYTES = 2 * 1024 ** 3;

interface Kept {
  readonly slot: number;
  readonly below: string;
  readonly index: TreeIndex;
  readonly bytes: number;
  /** Of the tree. */
  readonly packs: readonly Digest[];
}

export function createTreeDirectories({ directory, prefix }: TreeDirectoriesOptions): TreeDirectories {
  const used = new Set<number>();
  /** The one that was used last comes last. */
  const idle: Kept[] = [];
  const directoryOf = (slot: number) => join(directory, String(slot));

  const take = (index: TreeIndex, below: string): Kept => {
    const closest = closestOf(idle, index, below);
    if (closest !== undefined) {
      idle.splice(idle.indexOf(closest), 1);
      return closest;
    }
    const slot = firstFree(used);
    used.add(slot);
    return { slot, below, index: new Map(), bytes: 0, packs: [] };
  };
  const drop = async ({ slot }: Kept): Promise<void> => {
    await removeTree(directoryOf(slot));
    used.delete(slot);
  };
  const giveBack = async (kept: Kept): Promise<void> => {
    idle.push(kept);
    const surplus: Kept[] = [];
    while (idle.length > KEPT || idle.reduce((sum, { bytes }) => sum + bytes, 0) > KEPT_BYTES) surplus.push(...idle.splice(0, 1));
    for (const one of surplus) await drop(one);
  };

  return {
    async stage(tree, below, signal) {
      const index = indexOf(tree.entries);
      const before = take(index, below);
      const root = directoryOf(before.slot);
      try {
        await mkdir(join(root, below), { recursive: true });
        const packs = newFirst(tree.packs, before.packs);
        await changeTree(join(root, below), { before: before.index, after: index, tree: { ...tree, packs }, signal });
      } catch (error) {
        await drop(before);
        throw error;
      }
      const now = { slot: before.slot, below, index, bytes: bytesOf(index), packs: tree.packs };
      return { directory: root, name: `${prefix}-${before.slot}`, [Symbol.asyncDispose]: () => giveBack(now) };
    },
  };
}

/** The one that shares most with a tree, where that is half of it or more. */
function closestOf(idle: readonly Kept[], index: TreeIndex, below: string): Kept | undefined {
  const candidates = idle
    .filter((kept) => kept.below === below)
    .map((kept) => ({ kept, shared: sharedEntries(index, kept.index) }))
    .toSorted((a, b) => b.shared - a.shared);
  const [closest] = candidates;
  return closest !== undefined && closest.shared * 2 >= index.size ? closest.kept : undefined;
}

/** What is new lies in new packs, nearly always. */
function newFirst(packs: readonly Digest[], known: readonly Digest[]): Digest[] {
  const before = new Set(known);
  return [...packs.filter((pack) => !before.has(pack)), ...packs.filter((pack) => before.has(pack))];
}

function firstFree(used: ReadonlySet<number>): number {
  let slot = 0;
  while (used.has(slot)) slot += 1;
  return slot;
}

function bytesOf(index: TreeIndex): number {
  return [...index.values()].reduce((sum, entry) => sum + (entry.kind === "file" ? entry.size : 0), 0);
}
