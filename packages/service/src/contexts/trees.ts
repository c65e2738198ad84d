/** Trees of local files, as they lie in the registry. */
import { text } from "node:stream/consumers";
import { type ImageLocation, LaminaError, PACK_MEDIA_TYPE, TREE_ENTRIES_MEDIA_TYPE } from "@lamina/api";
import { type Digest, TreeEntry } from "@lamina/ir";
import { isIndex, isRegistryError, type Repository } from "@lamina/registry";
import { z } from "zod";

export interface Tree {
  readonly digest: Digest;
  readonly entries: readonly TreeEntry[];
  /** Where the packs are that hold its files. */
  readonly repository: Repository;
  /** The smallest first: what was changed lately lies in small ones. */
  readonly packs: readonly Digest[];
}

/** Reads what a tree consists of; its files are in its packs. @throws {LaminaError} CONTEXT_MISSING, CONTEXT_CORRUPT, REGISTRY_UNAVAILABLE */
export async function readTree(digest: Digest, { repository, location, signal }: TreeSource): Promise<Tree> {
  try {
    const { content } = await repository.manifest(location.digest, { signal });
    if (isIndex(content)) throw corrupt(digest, "its manifest is a list");
    if (content.layers[0]?.mediaType !== TREE_ENTRIES_MEDIA_TYPE || content.layers[0].digest !== digest) {
      throw corrupt(digest, "its manifest names another tree");
    }
    return {
      digest,
      entries: await readEntries(digest, { repository, signal }),
      repository,
      packs: content.layers
        .filter(({ mediaType }) => mediaType === PACK_MEDIA_TYPE)
        .toSorted((a, b) => a.size - b.size)
        .map((pack) => pack.digest),
    };
  } catch (error) {
    throw contextError(error, digest, signal);
  }
}

export interface TreeSource {
  readonly repository: Repository;
  readonly location: ImageLocation;
  readonly signal: AbortSignal;
}

/** What went wrong with a tree, in the platform's terms. */
export function contextError(error: unknown, tree: Digest, signal: AbortSignal): unknown {
  if (signal.aborted || !isRegistryError(error)) return error;
  if (error.code === "NOT_FOUND") {
    const message = `Local files that the image copies are not in the registry any more (tree ${tree}). Build again: they are sent again.`;
    return new LaminaError({ code: "CONTEXT_MISSING", message }, { cause: error });
  }
  if (error.code === "CORRUPT") return corrupt(tree, error.message, error);
  const message = `The local files that the image copies cannot be read from the registry: ${error.message}`;
  return new LaminaError({ code: "REGISTRY_UNAVAILABLE", message }, { cause: error });
}

export function corrupt(tree: Digest, reason: string, cause?: unknown): LaminaError {
  return new LaminaError({ code: "CONTEXT_CORRUPT", message: `The local files of tree ${tree} cannot be used: ${reason}.` }, { cause });
}

/** The registry's client checks the bytes against the digest, which is the tree's own. @throws {RegistryError} */
export async function readEntries(digest: Digest, { repository, signal }: Pick<TreeSource, "repository" | "signal">): Promise<TreeEntry[]> {
  const entries = await text(await repository.blob(digest, { signal }));
  return z.array(TreeEntry).parse(JSON.parse(entries));
}
