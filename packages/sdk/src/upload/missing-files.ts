/** Which local files a platform lacks. */
import type { Digest } from "@lamina/ir";
import type { Client } from "../client/client.ts";
import type { LocalFile, LocalTree } from "../local/tree.ts";

export interface MissingFile extends LocalFile {
  readonly digest: Digest;
  readonly size: number;
}

/** Of the files of these trees, those that the platform lacks. */
export async function missingFilesOf(client: Client, trees: readonly LocalTree[], signal?: AbortSignal): Promise<MissingFile[]> {
  return missingAmong(client, new Map(trees.flatMap(({ files }) => [...files])), signal);
}

/** Of these files, those that the platform lacks. */
export async function missingAmong(client: Client, files: LocalTree["files"], signal?: AbortSignal): Promise<MissingFile[]> {
  const missing: Digest[] = [];
  for (const asked of slices([...files.keys()], FILES_A_QUESTION))
    missing.push(...(await client.contexts.missingFiles({ files: asked }, { signal })));
  return missing.flatMap((digest) => {
    const file = files.get(digest);
    return file === undefined ? [] : [{ ...file, digest, size: Number(file.stamp.size) }];
  });
}

const FILES_A_QUESTION = 5_000;

function slices<T>(items: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / length) }, (_, index) => items.slice(index * length, (index + 1) * length));
}
