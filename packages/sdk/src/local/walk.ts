/** Walks a local directory without following links. */
import type { BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { LimitFunction } from "p-limit";
import type { Condition } from "./condition.ts";
import { ChangedWhileRead } from "./digest.ts";

/** Something in a directory. */
export interface Found {
  /** Relative to the directory that was walked, with `/`. */
  readonly path: string;
  readonly absolute: string;
  readonly stats: BigIntStats;
}

export interface WalkOptions {
  readonly limit: LimitFunction;
  /** Whether to take what has this relative path. Asked of all but directories that hold something. */
  readonly wanted: Condition;
}

/** A file that is wanted and that no image layer can hold. */
export class Unsupported extends Error {
  override readonly name = "Unsupported";
}

/**
 * What is wanted under a directory, and the directories on the way there; one whose content is all unwanted is left out.
 * @throws Unsupported for a name that is not UTF-8 or that layers give another meaning; ChangedWhileRead
 */
export async function walk(root: string, options: WalkOptions): Promise<Found[]> {
  const directory = { path: "", absolute: root, stats: await lstat(root, { bigint: true }) };
  return (await walkDirectory(directory, options)).filter((found) => found !== directory);
}

/** The directory and what is wanted under it, or nothing. */
async function walkDirectory(directory: Found, options: WalkOptions): Promise<Found[]> {
  const { limit, wanted } = options;
  const names = await readdir(directory.absolute, { encoding: "buffer" });
  if (names.length === 0) return wanted(directory.path) ? [directory] : [];
  const paths = names.flatMap((name) => pathsOf(directory, name, wanted));
  const children = await Promise.all(paths.map((path) => limit(() => look(path))));
  const found: Found[] = [];
  for (const child of children) {
    if (child.stats.isDirectory()) found.push(...(await walkDirectory(child, options)));
    else if (wanted(child.path)) found.push(child);
  }
  return found.length === 0 ? [] : [directory, ...found];
}

interface Place {
  readonly path: string;
  readonly absolute: string;
}

/** Where a name in a directory leads; nowhere when a layer could not hold it and it is not wanted. */
function pathsOf(directory: Place, bytes: Buffer, wanted: Condition): Place[] {
  const name = bytes.toString("utf8");
  const place = { path: directory.path === "" ? name : `${directory.path}/${name}`, absolute: join(directory.absolute, name) };
  const problem = problemWith(name, bytes);
  if (problem === undefined) return [place];
  if (!wanted(place.path)) return [];
  throw new Unsupported(`"${place.absolute}" ${problem}; rename it or leave it out`);
}

/** BuildKit knows names as UTF-8, and a layer takes a name with `.wh.` in front for a deleted file. */
function problemWith(name: string, bytes: Buffer): string | undefined {
  if (!Buffer.from(name).equals(bytes)) return "has a name that is not UTF-8";
  return name.startsWith(".wh.") ? "begins with .wh., which marks a deleted file in an image" : undefined;
}

async function look(place: Place): Promise<Found> {
  try {
    return { ...place, stats: await lstat(place.absolute, { bigint: true }) };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw new ChangedWhileRead(place.absolute, { cause: error });
    throw error;
  }
}
