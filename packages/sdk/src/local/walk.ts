/** Walks a local directory without following links. */
import type { ErrorReason } from "@lamina/api";
import { type BigIntStats, lstatSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import type { Condition } from "./condition.ts";
import { ChangedWhileRead } from "./digest.ts";
import type { Ignoring, Verdict } from "./ignore.ts";

/** Something in a directory. */
export interface Found {
  /** Relative to the directory that was walked, with `/`. */
  readonly path: string;
  readonly absolute: string;
  readonly stats: BigIntStats;
}

/** Local files that cannot be taken as they are: missing, unreadable, not to be held by a layer, or not what they ought to say. */
export class Unsupported extends Error {
  override readonly name = "Unsupported";
  readonly reason: ErrorReason;

  constructor(reason: ErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export interface Selection {
  /** Whether to take what has this relative path; asked of all but directories that hold something. */
  readonly wanted: Condition;
  /** What is as if it were not there. */
  readonly ignoring?: Ignoring | undefined;
}

/**
 * What is wanted under a directory, and the directories on the way there; one whose content is all unwanted is left out.
 * An ignored directory is read only where an exception may be in it.
 * @throws Unsupported for a name that is not UTF-8 or that layers give another meaning; ChangedWhileRead
 */
export async function walk(root: string, selection: Selection): Promise<Found[]> {
  const directory = {
    name: { text: "", isWhole: true },
    path: "",
    absolute: root,
    verdict: undefined,
    stats: await lstat(root, { bigint: true }),
  };
  return (await walkDirectory(directory, selection)).filter((found) => found !== directory);
}

/** What keeps a file from being in a layer under a name: one with `.wh.` in front is taken for a deleted file. */
export function nameFault(text: string): string | undefined {
  return text.startsWith(".wh.") ? "begins with .wh., which marks a deleted file in an image" : undefined;
}

/** The directory and what is wanted under it, or nothing. */
async function walkDirectory(directory: Found & Place, selection: Selection): Promise<Found[]> {
  const names = await namesIn(directory.absolute);
  const places = names.map((name) => placeOf(name, directory, selection));
  const children = places.filter((place) => isLookedAt(place, selection)).map(look);
  const found: Found[] = [];
  for (const child of children) {
    if (child.stats.isDirectory()) for (const below of await walkDirectory(child, selection)) found.push(below);
    else if (!isIgnored(child) && selection.wanted(child.path)) found.push(child);
  }
  if (found.length > 0) return [directory, ...found];
  const isTaken = places.every(isIgnored) && !isIgnored(directory) && selection.wanted(directory.path);
  return isTaken ? [directory] : [];
}

interface Place {
  readonly name: Name;
  readonly path: string;
  readonly absolute: string;
  /** Undefined where nothing is ignored. */
  readonly verdict: Verdict | undefined;
}

function placeOf(name: Name, directory: Place, { ignoring }: Selection): Place {
  const path = directory.path === "" ? name.text : `${directory.path}/${name.text}`;
  return { name, path, absolute: `${directory.absolute}/${name.text}`, verdict: ignoring?.verdict(path, directory.verdict) };
}

function isIgnored({ verdict }: Place): boolean {
  return verdict?.isIgnored === true;
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

/** Not what is ignored with all below it, nor what a layer could not hold and is not wanted. */
function isLookedAt(place: Place, { wanted }: Selection): boolean {
  if (place.verdict?.isClosed === true) return false;
  const problem = problemWith(place.name);
  if (problem === undefined) return true;
  if (isIgnored(place) || !wanted(place.path)) return false;
  const reason = place.name.isWhole ? "reserved-file-name" : "name-not-utf8";
  throw new Unsupported(reason, `"${place.absolute}" ${problem}; rename it or leave it out`);
}

/** BuildKit knows names as UTF-8. */
function problemWith({ text, isWhole }: Name): string | undefined {
  return isWhole ? nameFault(text) : "has a name that is not UTF-8";
}

/** Not asynchronous, since waiting in turn for each of thousands of files takes several times as long as looking at them. */
function look(place: Place): Found & Place {
  try {
    return { ...place, stats: lstatSync(place.absolute, { bigint: true }) };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw new ChangedWhileRead(place.absolute, { cause: error });
    throw error;
  }
}
