import { createHash } from "node:crypto";
import type { TreeEntry } from "@lamina/ir";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { changesBetween, indexOf, TreeError, type TreeIndex } from "../src/contexts/tree-changes.ts";

const part = fc.constantFrom("a", "b", "c.d", "-");
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const mode = fc.constantFrom(0o644, 0o755);
const digest = fc.constantFrom("1", "2").map((text): TreeEntry & { kind: "file" } => ({
  kind: "file",
  path: "",
  mode: 0,
  size: 1,
  digest: `sha256:${createHash("sha256").update(text).digest("hex")}`,
}));
const entry: fc.Arbitrary<TreeEntry> = fc.oneof(
  fc.record({ kind: fc.constant("directory" as const), path, mode }),
  fc.record({ file: digest, path, mode }).map(({ file, ...rest }) => ({ ...file, ...rest })),
  fc.record({ kind: fc.constant("link" as const), path, target: fc.constantFrom("x", "y") }),
  fc.record({ kind: fc.constant("fifo" as const), path, mode }),
);

/** A tree that a directory can hold: of what is in the way of others, the first stays. */
const tree = fc.uniqueArray(entry, { selector: ({ path }) => path, maxLength: 12 }).map((entries) => {
  let kept: TreeEntry[] = [];
  for (const candidate of entries) {
    const next = [...kept, candidate];
    if (isTree(next)) kept = next;
  }
  return kept;
});

function isTree(entries: readonly TreeEntry[]): boolean {
  try {
    indexOf(entries);
    return true;
  } catch (error) {
    if (error instanceof TreeError) return false;
    throw error;
  }
}

/** A directory as a map, which refuses what a file system would refuse. */
function apply(before: TreeIndex, after: TreeIndex): Map<string, TreeEntry> {
  const disk = new Map(before);
  const { removed, made, entered } = changesBetween(before, after);
  const refuse = (isWrong: boolean, why: string) => {
    if (isWrong) throw new Error(why);
  };
  const parent = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));
  const isOpen = (path: string) => entered.some((one) => one.path === path) || before.get(path)?.kind !== "directory" || !after.has(path);
  const requireParent = ({ path }: TreeEntry) => {
    const above = parent(path);
    refuse(above !== "" && disk.get(above)?.kind !== "directory", `${above} is no directory`);
    refuse(after.get(above)?.kind === "directory" && !isOpen(above), `${above} may not be writable`);
  };
  for (const one of removed) {
    requireParent(one);
    refuse(
      [...disk.keys()].some((other) => parent(other) === one.path),
      `${one.path} is not empty`,
    );
    refuse(!disk.delete(one.path), `${one.path} is not there`);
  }
  for (const one of made) {
    requireParent(one);
    const there = disk.get(one.path);
    refuse(there !== undefined && (there.kind !== "directory" || one.kind !== "directory"), `${one.path} is there`);
    disk.set(one.path, one);
  }
  return disk;
}

test("the changes between two trees make the one of the other, in an order that a file system takes", () => {
  fc.assert(
    fc.property(tree, tree, (a, b) => {
      const [before, after] = [indexOf(a), indexOf(b)];
      expect(apply(before, after)).toEqual(after);
    }),
  );
});

test("a tree has no changes to itself", () => {
  fc.assert(
    fc.property(tree, (entries) => {
      expect(changesBetween(indexOf(entries), indexOf(entries))).toEqual({ removed: [], made: [], entered: [] });
    }),
  );
});

test.each<[string, TreeEntry[]]>([
  [
    "a path that is there twice",
    [
      { kind: "fifo", path: "a", mode: 0o644 },
      { kind: "directory", path: "a", mode: 0o755 },
    ],
  ],
  [
    "a path below one that is no directory",
    [
      { kind: "link", path: "a", target: "/" },
      { kind: "directory", path: "a/b", mode: 0o755 },
    ],
  ],
])("no directory holds %s", (_, entries) => {
  expect(() => indexOf(entries)).toThrow(TreeError);
});
