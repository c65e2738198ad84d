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
  /** Whether that link leads above the context or to the root of the machine, of which BuildKit sees nothing. */
  readonly leaves: boolean;
  /** Whether that link was followed before; BuildKit does not do so either. */
  readonly isCircle: boolean;
}

/** Follows the links on a path as BuildKit does, to where it ends or has to be given up. */
export function followed(path: string, { links }: ContextPaths): Followed {
  const ahead = path.split("/");
  const seen = new Set<string>();
  let at: string[] = [];
  let last: string | undefined;
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.length === 0) return { path, last, leaves: true, isCircle: false };
      at = at.slice(0, -1);
      continue;
    }
    const here = [...at, part].join("/");
    const target = links.get(here);
    if (target === undefined) {
      at.push(part);
      continue;
    }
    if (seen.has(here)) return { path: here, last: here, leaves: false, isCircle: true };
    if (target.startsWith("/")) return { path: here, last: here, leaves: true, isCircle: false };
    seen.add(here);
    last = here;
    ahead.unshift(...target.split("/"));
  }
  return { path: at.join("/"), last, leaves: false, isCircle: false };
}
