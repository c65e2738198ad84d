/** The paths of a context, and where its links lead. */
import type { TreeEntry } from "../tree.ts";

export interface ContextPaths {
  /** All that there are, the directories above them included; the context itself is "". */
  readonly paths: ReadonlySet<string>;
  /** The targets of links, by their paths. */
  readonly links: ReadonlyMap<string, string>;
}

export function pathsOf(entries: readonly TreeEntry[]): ContextPaths["paths"] {
  const paths = new Set([""]);
  for (const { path } of entries) {
    for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) paths.add(path.slice(0, end));
    paths.add(path);
  }
  return paths;
}

export function linksOf(entries: readonly TreeEntry[]): ContextPaths["links"] {
  return new Map(entries.flatMap((entry) => (entry.kind === "link" ? [[entry.path, entry.target] as const] : [])));
}

export interface Followed {
  /** Where the path leads. */
  readonly path: string;
  /** The link that was followed last, if any was. */
  readonly last: string | undefined;
  /** Whether a link led above the context or to the root of the machine. */
  readonly leaves: boolean;
  readonly isCircle: boolean;
}

/** As many links are followed by BuildKit. */
const MOST_LINKS = 255;

/** Follows the links on a path, as BuildKit does: the context is all that there is, so a way out of it leads to its root. */
export function followed(path: string, { links }: ContextPaths): Followed {
  const ahead = path.split("/");
  let at: string[] = [];
  let last: string | undefined;
  let leaves = false;
  for (let count = 0; ahead.length > 0;) {
    const part = ahead.shift();
    if (part === undefined || part === "" || part === ".") continue;
    if (part === "..") {
      leaves ||= at.length === 0;
      at = at.slice(0, -1);
      continue;
    }
    const here = [...at, part].join("/");
    const target = links.get(here);
    if (target === undefined) {
      at.push(part);
      continue;
    }
    last = here;
    count += 1;
    if (count > MOST_LINKS) return { path: here, last, leaves, isCircle: true };
    if (target.startsWith("/")) {
      leaves = true;
      at = [];
    }
    ahead.unshift(...target.split("/"));
  }
  return { path: at.join("/"), last, leaves, isCircle: false };
}
