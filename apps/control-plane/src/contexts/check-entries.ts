import { LaminaError } from "@lamina/api";
import type { TreeEntry } from "@lamina/ir";

/**
 * Whether sorted entries can lie in one file system: each path once, nothing below what is no directory,
 * and no name that an image layer would take for the mark of a deleted file.
 * @throws {LaminaError} CONTEXT_CORRUPT
 */
export function checkEntries(entries: readonly TreeEntry[]): void {
  const kinds = new Map<string, TreeEntry["kind"]>();
  for (const { path, kind } of entries) {
    if (kinds.has(path)) throw corrupt(`${path} is there twice`);
    kinds.set(path, kind);
  }
  for (const { path } of entries) {
    const parts = path.split("/");
    if (parts.some((part) => part.startsWith(".wh.")))
      throw corrupt(`${path} has a name that begins with ".wh.", which images cannot hold`);
    const parent = parts.slice(0, -1).join("/");
    const kind = parent === "" ? "directory" : (kinds.get(parent) ?? "directory");
    if (kind !== "directory") throw corrupt(`${path} lies below ${parent}, which is a ${kind}`);
  }
}

function corrupt(reason: string): LaminaError {
  return new LaminaError({ code: "CONTEXT_CORRUPT", message: `The tree cannot be taken: ${reason}.` });
}
