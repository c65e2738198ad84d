/** Walks a local directory without following links. */
import { type BigIntStats, lstatSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Condition } from "./condition.ts";
import { ChangedWhileRead } from "./digest.ts";

/** Something in a directory. */
export interface Found {
  /** Relative to the directory that was walked, with `/`. */
  readonly path: string;
  readonly absolute: string;
  readonly stats: BigIntStats;
}

/** A file that is wanted and that no image layer can hold. */
export class Unsupported extends Error {
  override readonly name = "Unsupported";
}

/**
 * What is wanted under a directory, and the directories on the way there; one whose content is all unwanted is left out.
 * @param wanted whether to take what has this relative path; asked of all but directories that hold something
 * @throws Unsupported for a name that is not UTF-8 or that layers give another meaning; ChangedWhileRead
 */
export async function walk(root: string, wanted: Condition): Promise<Found[]> {
  const directory = { path: "", absolute: root, stats: await lstat(root, { bigint: true }) };
  return (await walkDirectory(directory, wanted)).filter((found) => found !== directory);
}

/** The directory and what is wanted under it, or nothing. */
async function walkDirectory(directory: Found, wanted: Condition): Promise<Found[]> {
  const names = await readdir(directory.absolute, { encoding: "buffer" });
  if (names.length === 0) return wanted(directory.path) ? [directory] : [];
  const children = names.flatMap((name) => pathsOf(directory, name, wanted)).map(look);
  const found: Found[] = [];
  for (const child of children) {
    if (child.stats.isDirectory()) for (const below of await walkDirectory(child, wanted)) found.push(below);
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

/** Not asynchronous, since waiting in turn for each of thousands of files takes several times as long as looking at them. */
function look(place: Place): Found {
  try {
    return { ...place, stats: lstatSync(place.absolute, { bigint: true }) };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw new ChangedWhileRead(place.absolute, { cause: error });
    throw error;
  }
}
