/**
 * Remembers the digests of local files between processes: one small file for each directory that
 * was copied, replaced as a whole. Processes that write it at once lose at most what they remember.
 */
import type { Digest } from "@lamina/ir";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { digestOf, type FileStamp } from "./digest.ts";

export interface HashCache {
  /** The digest of the file at an absolute path, when it is remembered for that stamp. */
  remembered(path: string, stamp: FileStamp): Digest | undefined;
  /** The same, read when it is not remembered. */
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
  const opened = await load(file);
  const known = new Map(Object.entries(opened.entries));
  const learnt = new Map<string, string>();
  const today = Math.floor(now() / DAY);
  const remembered: HashCache["remembered"] = (path, stamp) => {
    const entry = known.get(path);
    const text = textOf(stamp);
    if (entry?.startsWith(text) !== true) return undefined;
    const digest = entry.slice(entry.lastIndexOf(" ") + 1);
    if (dayOf(entry) !== today) learnt.set(path, entryOf(stamp, digest, today));
    return digest;
  };
  return {
    remembered,
    async digest(path, stamp) {
      const digestBefore = remembered(path, stamp);
      if (digestBefore !== undefined) return digestBefore;
      const began = BigInt(now()) * 1_000_000n;
      const digest = await read(path, stamp);
      if (isSettled(stamp, began)) learnt.set(path, entryOf(stamp, digest, today));
      return digest;
    },
    async save() {
      if (learnt.size === 0) return;
      // Another process may have written in the meantime: add to what is there now.
      const { entries } = (await versionOf(file)) === opened.version ? opened : await load(file);
      const kept = Object.entries(entries).filter(([, entry]) => today - dayOf(entry) < DAYS_KEPT);
      const text = JSON.stringify(Object.fromEntries([...kept, ...learnt]));
      await replace(file, text).catch((error: Error) => process.emitWarning(`Digests of local files are not remembered: ${error.message}`));
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

/** By path, a line of the stamp, the last day, counted from 1970, on which it was used, and the digest. One line is checked quickest. */
const Cache = z.record(z.string(), z.string().regex(/^(\d+ ){5}sha256:[0-9a-f]{64}$/));

function entryOf(stamp: FileStamp, digest: Digest, day: number): string {
  return `${textOf(stamp)}${day} ${digest}`;
}

function textOf({ size, mtimeNs, ctimeNs, ino }: FileStamp): string {
  return `${size} ${mtimeNs} ${ctimeNs} ${ino} `;
}

function dayOf(entry: string): number {
  return Number(entry.split(" ")[4]);
}

interface Loaded {
  readonly entries: z.infer<typeof Cache>;
  /** Another one for each state of the file. */
  readonly version: string | undefined;
}

/** What the file holds; one that is missing, damaged or not readable is worth nothing more than an empty one. */
async function load(file: string): Promise<Loaded> {
  const version = await versionOf(file);
  try {
    return { version, entries: Cache.parse(JSON.parse(await readFile(file, "utf8"))) };
  } catch {
    return { version, entries: {} };
  }
}

/** Each state of the file is a new file. */
async function versionOf(file: string): Promise<string | undefined> {
  const stats = await stat(file, { bigint: true }).catch(() => undefined);
  return stats && `${stats.ino} ${stats.ctimeNs}`;
}

async function replace(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, file);
}
