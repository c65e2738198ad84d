/** Several local files and directories as one tree. */
import { sortEntries, type TreeEntry, treeDigest } from "@lamina/ir";
import { posix } from "node:path";
import type { Condition } from "./condition.ts";
import type { Ignoring } from "./ignore.ts";
import { aboutPath, type GivenPath } from "./problem.ts";
import { kindOf, type LocalTree, type ReadOptions, readDirectoryTree, readFileTree } from "./tree.ts";
import { Unsupported } from "./walk.ts";

/** A local file or directory, and the path in the tree that it gets. */
export interface TreePart extends GivenPath {
  /** Relative, in its normal form. A directory is all that is in it, under this path, which may be `.`. */
  readonly place: string;
  /** Of a directory: whether to take what has this path, relative to it. */
  readonly wanted?: Condition | undefined;
  /** Of a directory: what is as if it were not there. */
  readonly ignoring?: Ignoring | undefined;
}

/**
 * Reads the parts into one tree. The directories that hold them have the mode 0755.
 * @throws Unsupported with the path of the part as it was given, and where two parts would be at one path
 */
export async function readParts(parts: readonly TreePart[], { home }: Pick<ReadOptions, "home">): Promise<LocalTree> {
  const entries = new Map<string, { readonly entry: TreeEntry; readonly given: string }>();
  const trees: LocalTree[] = [];
  for (const part of parts) {
    const tree = await readPart(part, home);
    trees.push(tree);
    for (const entry of tree.entries) {
      const other = entries.get(entry.path);
      if (other === undefined) entries.set(entry.path, { entry, given: part.given });
      else if (!areDirectories(entry, other.entry)) throw collision(entry.path, part.given, other.given);
    }
  }
  for (const { entry, given } of entries.values()) {
    for (const path of directoriesAbove(entry.path)) {
      const above = entries.get(path);
      if (above === undefined) entries.set(path, { entry: { kind: "directory", path, mode: 0o755 }, given });
      else if (above.entry.kind !== "directory") throw collision(path, given, above.given);
    }
  }
  const sorted = sortEntries([...entries.values()].map(({ entry }) => entry));
  return {
    digest: treeDigest(sorted),
    entries: sorted,
    files: new Map(trees.flatMap(({ files }) => [...files])),
    remember: async () => {
      // One after the other, since parts may share what remembers their digests.
      for (const tree of trees) await tree.remember();
    },
  };
}

/** A part as a tree of its own, its entries at their paths in the whole. */
async function readPart(part: TreePart, home: string): Promise<LocalTree> {
  return aboutPath(part, async () => {
    const { path, place, wanted, ignoring } = part;
    const kind = await kindOf(path);
    if (kind === "file" && place === ".")
      throw new Unsupported("invalid-context-path", `"${part.given}" is a file, and needs a name in place of "."`);
    if (kind === "other") throw new Unsupported("special-file", `"${part.given}" is not a file or a directory`);
    if (kind === "file") return under(posix.dirname(place), await readFileTree(path, { home, name: posix.basename(place) }));
    const tree = under(place, await readDirectoryTree(path, { home, ignoring, ...(wanted !== undefined && { wanted }) }));
    return place === "." ? tree : { ...tree, entries: [{ kind: "directory", path: place, mode: 0o755 }, ...tree.entries] };
  });
}

function under(directory: string, tree: LocalTree): LocalTree {
  return directory === "." ? tree : { ...tree, entries: tree.entries.map((entry) => ({ ...entry, path: `${directory}/${entry.path}` })) };
}

function areDirectories(one: TreeEntry, other: TreeEntry): boolean {
  return one.kind === "directory" && other.kind === "directory";
}

function collision(path: string, given: string, other: string): Unsupported {
  return new Unsupported("colliding-files", `"${given}" and "${other}" would both be at "${path}"; give them different places`);
}

function directoriesAbove(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}
