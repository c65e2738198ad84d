/** A tree of local files, named by its content. */
import { canonicalDigest } from "./canonical.ts";
import { z } from "zod";
import { Digest } from "./operation.ts";

const path = z
  .string()
  .min(1)
  .refine((value) => !value.includes("\0") && !value.startsWith("/"), "a path in a tree is relative and holds no NUL")
  .refine(
    (value) => value.split("/").every((part) => part !== "" && part !== "." && part !== ".."),
    "a path in a tree has no empty, '.' or '..' part",
  );
/** Permission bits with setuid, setgid and sticky; the group's and others' write bits, which depend on the umask, are cleared. */
const mode = z.int().min(0).max(0o7777);

/** One file, directory, symbolic link or FIFO. Owner and times are not part of a tree. */
export const TreeEntry = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("file"), path, mode, size: z.int().min(0), digest: Digest }),
  z.strictObject({ kind: z.literal("directory"), path, mode }),
  z.strictObject({ kind: z.literal("link"), path, target: z.string().min(1) }),
  z.strictObject({ kind: z.literal("fifo"), path, mode }),
]);
export type TreeEntry = z.infer<typeof TreeEntry>;

/** The mode that a tree keeps of a local file's `stat.mode`. */
export function treeMode(mode: number): number {
  return mode & 0o7755;
}

/** Entries in the order in which a tree holds them: by the bytes of their paths. */
export function sortEntries(entries: readonly TreeEntry[]): TreeEntry[] {
  // UTF-16 has another order only where there are surrogates.
  if (!entries.some(({ path }) => SURROGATE.test(path)))
    return entries.toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
  return entries
    .map((entry) => ({ entry, key: Buffer.from(entry.path) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ entry }) => entry);
}

const SURROGATE = /[\ud800-\udfff]/;

/** The digest that names a tree: SHA-256 over the canonical JSON of its sorted entries. */
export function treeDigest(entries: readonly TreeEntry[]): Digest {
  return canonicalDigest(sortEntries(entries));
}
