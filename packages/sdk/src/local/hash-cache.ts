/**
 * Remembers the digests of local files between processes: one small file for each directory that
 * was copied, replaced as a whole. Processes that write it at once lose at most what they remember.
 */
import { Digest } from "@lamina/ir";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { digestOf, type FileStamp, sameStamp } from "./digest.ts";

export interface HashCache {
  /** The digest of the file at an absolute path: remembered when the stamp is the same, else read. */
  digest(path: string, stamp: FileStamp): Promise<Digest>;
  /** Keeps what was learnt. */
  save(): Promise<void>;
}

export interface HashCacheOptions {
  /** The directory of all local state. */
  readonly home: string;
  /** What lies under this path is remembered together. */
  readonly root: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly read?: typeof digestOf;
}

/** Opens the cache for what lies under a path. A cache that cannot be read is begun anew. */
export async function openHashCache({ home, root, now = Date.now, read = digestOf }: HashCacheOptions): Promise<HashCache> {
  const file = join(home, "hashes", `${createHash("sha256").update(root).digest("hex").slice(0, 32)}.json`);
  const remembered = new Map(Object.entries(await load(file)));
  const learnt = new Map<string, Entry>();
  const today = Math.floor(now() / DAY);
  return {
    async digest(path, stamp) {
      const entry = remembered.get(path);
      if (entry !== undefined && sameStamp(entry, stamp)) {
        if (entry.day !== today) learnt.set(path, { ...entry, day: today });
        return entry.digest;
      }
      const began = BigInt(now()) * 1_000_000n;
      const digest = await read(path, stamp);
      if (isSettled(stamp, began)) learnt.set(path, { ...stamp, digest, day: today });
      return digest;
    },
    async save() {
      if (learnt.size === 0) return;
      // Another process may have written in the meantime: add to what is there now.
      const entries = Object.entries(await load(file)).filter(([, entry]) => today - entry.day < DAYS_KEPT);
      const text = JSON.stringify(Object.fromEntries([...entries, ...learnt].map(([path, entry]) => [path, packed(entry)])));
      await replace(file, text).catch((error: Error) => process.emitWarning(`Digests of local files are not remembered: ${error.message}`));
      learnt.clear();
    },
  };
}

const DAY = 24 * 60 * 60 * 1000;
/** Entries that were not used for so long are dropped. */
const DAYS_KEPT = 30;

/**
 * A file can change again within one tick of its file system's clock, and its stamp stays the same.
 * A digest is worth remembering only when the stamp is older than the reading by more than any such tick.
 */
function isSettled({ mtimeNs, ctimeNs }: FileStamp, began: bigint): boolean {
  const newest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  return began - newest > LONGEST_TICK;
}

const LONGEST_TICK = 2_000_000_000n;

interface Entry extends FileStamp {
  readonly digest: Digest;
  /** The last day, counted from 1970, on which it was used. */
  readonly day: number;
}

const integer = z
  .string()
  .regex(/^-?\d+$/)
  .transform(BigInt);
const PackedEntry = z
  .tuple([integer, integer, integer, integer, Digest, z.int()])
  .transform(([size, mtimeNs, ctimeNs, ino, digest, day]): Entry => ({ size, mtimeNs, ctimeNs, ino, digest, day }));
const Cache = z.record(z.string(), PackedEntry);

function packed({ size, mtimeNs, ctimeNs, ino, digest, day }: Entry): unknown {
  return [String(size), String(mtimeNs), String(ctimeNs), String(ino), digest, day];
}

/** What the file holds; one that is missing, damaged or not readable is worth nothing more than an empty one. */
async function load(file: string): Promise<z.infer<typeof Cache>> {
  try {
    return Cache.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return {};
  }
}

async function replace(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, file);
}
