/** Whether what COPY and bind mounts take is in the context. */
import type { TreeEntry } from "../tree.ts";
import { contextSources } from "./copy.ts";
import { flagValues, hasFlag } from "./flag-rules.ts";
import { FragmentError } from "./fragment-error.ts";
import { isFromContext, mountOf } from "./mount.ts";
import type { Instruction } from "./read.ts";

/** @throws {FragmentError} for the first source that is not among the entries. What holds variables is not looked for. */
export function checkSources(instructions: readonly Instruction[], entries: readonly TreeEntry[]): void {
  const paths = pathsOf(entries);
  const links = entries.flatMap(({ kind, path }) => (kind === "link" ? [path] : []));
  for (const instruction of instructions) {
    const missing = sourcesOf(instruction).find((source) => !isThere(source, { paths, links }));
    if (missing === undefined) continue;
    const what = WILDCARD.test(missing) ? "nothing that matches" : "no";
    throw new FragmentError(
      instruction.place,
      `${instruction.keyword} takes ${JSON.stringify(missing)}, and there is ${what} "${relative(missing)}" in the context: name it in contextFiles`,
    );
  }
}

/** Whether an instruction takes files of the context. */
export function takesFiles(instruction: Instruction): boolean {
  return sourcesOf(instruction).length > 0;
}

/** One with a backslash before it is none, and so is a path of such alone. */
const WILDCARD = /^(?:\\.|[^\\*?[])*[*?[]/s;
/** What is known only in the build: variables, and quotes around them. */
const OPEN = /[$'"]/;

function sourcesOf(instruction: Instruction): string[] {
  const mounted = flagValues(instruction.flags, "mount")
    .map(mountOf)
    .filter((mount) => instruction.keyword === "RUN" && isFromContext(mount))
    .map(({ options }) => options.get("source") ?? ".");
  // With --parents `**` matches directories, and `/./` divides the path.
  const copied = contextSources(instruction).map((source) =>
    hasFlag(instruction.flags, "parents") ? source.replaceAll("/./", "/") : source,
  );
  return [...mounted, ...copied];
}

/** All paths that there are, the directories above them included. */
function pathsOf(entries: readonly TreeEntry[]): Set<string> {
  const paths = new Set([""]);
  for (const { path } of entries) {
    for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) paths.add(path.slice(0, end));
    paths.add(path);
  }
  return paths;
}

interface Known {
  readonly paths: ReadonlySet<string>;
  readonly links: readonly string[];
}

function isThere(source: string, { paths, links }: Known): boolean {
  if (OPEN.test(source)) return true;
  const path = relative(source.replaceAll(/\\(.)/gs, "$1"));
  if (path.includes("**")) return true;
  // A link may lead to what the entries do not show.
  if (links.some((link) => path.startsWith(`${link}/`))) return true;
  if (!WILDCARD.test(path)) return paths.has(path);
  const pattern = patternOf(path);
  return [...paths].some((there) => pattern.test(there));
}

/** A path from the root of the context, without what means nothing. */
function relative(source: string): string {
  return source
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

/** Go's path.Match: `*` and `?` within a name, `[a-z]` and `[^a-z]`, and a backslash before what means itself. */
function patternOf(pattern: string): RegExp {
  const parts = pattern.match(/\\.|\[\^?(?:\\.|[^\]\\])+\]|./gs) ?? [];
  return new RegExp(`^${parts.map(expressionOf).join("")}$`, "s");
}

function expressionOf(part: string): string {
  if (part === "*") return "[^/]*";
  if (part === "?") return "[^/]";
  if (part.length < 3) return escaped(part.at(-1) ?? "");
  const [, not = "", set = ""] = /^\[(\^?)(.*)\]$/s.exec(part) ?? [];
  const members = set.match(/\\?./gs) ?? [];
  return `[${not}${members.map((member) => (member === "-" ? member : escaped(member.at(-1) ?? ""))).join("")}]`;
}

function escaped(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, "\\$&");
}
