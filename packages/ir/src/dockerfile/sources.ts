/** Whether what COPY and bind mounts take is in the context. */
import type { Fault } from "../definition-error.ts";
import type { TreeEntry } from "../tree.ts";
import { type ContextPaths, followed, linksOf, pathsOf } from "./context-paths.ts";
import { contextSources, copyArguments, isDirectory } from "./copy.ts";
import { flagValues, hasFlag } from "./flag-rules.ts";
import { FragmentError } from "./fragment-error.ts";
import { isFromContext, mountOf } from "./mount.ts";
import type { Instruction } from "./read.ts";
import { afterValues, expanded, NO_VALUES } from "./values.ts";

/** @throws {FragmentError} for the first source that is not among the entries. What holds variables that only the build knows is not looked for. */
export function checkSources(instructions: readonly Instruction[], entries: readonly TreeEntry[]): void {
  const context = { paths: pathsOf(entries), links: linksOf(entries) };
  let values = NO_VALUES;
  for (const instruction of instructions) {
    for (const source of sourcesOf(instruction)) {
      const value = expanded(source.text, values);
      const problem = value.kind === "known" ? problemOf({ ...source, text: value.text }, context) : undefined;
      if (problem === undefined) continue;
      throw new FragmentError(
        instruction.place,
        `${instruction.keyword} takes ${JSON.stringify(source.text)}, and ${problem.message}`,
        problem.reason,
      );
    }
    values = afterValues(values, instruction);
  }
}

/** Whether an instruction takes files of the context. */
export function takesFiles(instruction: Instruction): boolean {
  return sourcesOf(instruction).length > 0;
}

/** One with a backslash before it is none, and so is a path of such alone. */
const WILDCARD = /^(?:\\.|[^\\*?[])*[*?[]/s;
/** What is left to the build: quotes, and variables within them. */
const OPEN = /[$'"]/;

interface Source {
  readonly text: string;
  /** Of a source that is a link: whether it is copied itself, and not what it leads to. */
  readonly keepsLinks: boolean;
  /** Whether there is room for several files where it goes. */
  readonly mayBeSeveral: boolean;
}

function sourcesOf(instruction: Instruction): Source[] {
  const mounted = flagValues(instruction.flags, "mount")
    .map(mountOf)
    .filter((mount) => instruction.keyword === "RUN" && isFromContext(mount))
    .map(({ options }) => ({ text: options.get("source") ?? ".", keepsLinks: false, mayBeSeveral: true }));
  // With --parents `**` matches directories, and `/./` divides the path.
  const keepsLinks = hasFlag(instruction.flags, "parents");
  const mayBeSeveral = isDirectory(copyArguments(instruction).destination);
  const copied = contextSources(instruction).map((text) => ({
    text: keepsLinks ? text.replaceAll("/./", "/") : text,
    keepsLinks,
    mayBeSeveral,
  }));
  return [...mounted, ...copied];
}

/** What keeps a source from being copied; undefined where nothing does, or where only the build can tell. */
function problemOf({ text, keepsLinks, mayBeSeveral }: Source, context: ContextPaths): Fault | undefined {
  if (OPEN.test(text)) return undefined;
  const path = relative(text.replaceAll(/\\(.)/gs, "$1"));
  if (path.includes("**")) return undefined;
  if (keepsLinks && context.paths.has(path)) return undefined;
  if (!WILDCARD.test(path)) return linkProblem(path, context) ?? (isThere(path, context) ? undefined : missing("no", text));
  if ([...context.links.keys()].some((link) => path.startsWith(`${link}/`))) return undefined;
  const pattern = patternOf(path);
  const matching = [...context.paths].filter((there) => pattern.test(there));
  if (matching.length === 0) return missing("nothing that matches", text);
  if (matching.length > 1 && !mayBeSeveral) {
    const message = `that matches ${matching.length} files, so that the destination has to be a directory, and end with "/"`;
    return { reason: "invalid-instruction", message };
  }
  return keepsLinks ? undefined : matching.map((there) => linkProblem(there, context)).find((problem) => problem !== undefined);
}

function missing(what: string, source: string): Fault {
  return { reason: "missing-source", message: `there is ${what} "${relative(source)}" in the context: name it in contextFiles` };
}

function isThere(path: string, context: ContextPaths): boolean {
  return context.paths.has(followed(path, context).path);
}

function linkProblem(path: string, context: ContextPaths): Fault | undefined {
  const { path: end, last, leaves, isCircle } = followed(path, context);
  if (last === undefined || (context.paths.has(end) && !isCircle && !leaves)) return undefined;
  const link = `"${last}" is a link to ${JSON.stringify(context.links.get(last))}`;
  if (isCircle) return { reason: "link-cycle", message: `${link}, which leads to itself` };
  const advice = "name in contextFiles what it leads to, or copy the directory that the link is in, which keeps it as it is";
  return leaves
    ? { reason: "escaping-source", message: `${link}, which leads out of the context: ${advice}` }
    : { reason: "missing-source", message: `${link}, which leads to nothing in the context: ${advice}` };
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
