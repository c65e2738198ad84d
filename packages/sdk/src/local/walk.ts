/** Walks a local directory without following links. */
import { type BigIntStats, lstatSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
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
  const names = await namesIn(directory.absolute);
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

interface Name {
  readonly text: string;
  /** Whether the text is all of the name. */
  readonly isWhole: boolean;
}

/** A name that is not UTF-8 is read with this character in it. */
const REPLACEMENT = "\ufffd";

async function namesIn(directory: string): Promise<Name[]> {
  const names = await readdir(directory);
  if (!names.some((text) => text.includes(REPLACEMENT))) return names.map((text) => ({ text, isWhole: true }));
  const exact = await readdir(directory, { encoding: "buffer" });
  return exact.map((bytes) => {
    const text = bytes.toString("utf8");
    return { text, isWhole: Buffer.from(text).equals(bytes) };
  });
}

/** Where a name in a directory leads; nowhere when a layer could not hold it and it is not wanted. */
function pathsOf(directory: Place, name: Name, wanted: Condition): Place[] {
  const place = {
    path: directory.path === "" ? name.text : `${directory.path}/${name.text}`,
    absolute: `${directory.absolute}/${name.text}`,
  };
  const problem = problemWith(name);
  if (problem === undefined) return [place];
  if (!wanted(place.path)) return [];
  throw new Unsupported(`"${place.absolute}" ${problem}; rename it or leave it out`);
}

/** BuildKit knows names as UTF-8, and a layer takes a name with `.wh.` in front for a deleted file. */
function problemWith({ text, isWhole }: Name): string | undefined {
  if (!isWhole) return "has a name that is not UTF-8";
  return text.startsWith(".wh.") ? "begins with .wh., which marks a deleted file in an image" : undefined;
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
