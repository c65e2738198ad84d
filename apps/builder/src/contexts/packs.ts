/** Files out of packs: zstd-compressed tars of files that are named by the SHA-256 of their content. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";
import type { Digest } from "@lamina/ir";
import type { Repository } from "@lamina/registry";
import { extract } from "tar-stream";

export interface UnpackOptions {
  readonly repository: Repository;
  /** Where to write each file that is wanted; those that were found are taken out. */
  readonly wanted: Map<Digest, string>;
  readonly signal: AbortSignal;
}

/** Writes the wanted files that a pack holds. @throws {Error} when a file is not what its name says */
export async function unpack(pack: Digest, { repository, wanted, signal }: UnpackOptions): Promise<void> {
  const tar = extract();
  const files = (async () => {
    for await (const entry of tar) {
      const digest: Digest = `sha256:${entry.header.name}`;
      const path = wanted.get(digest);
      if (path === undefined) {
        entry.resume();
        continue;
      }
      wanted.delete(digest);
      await writeVerified(entry, digest, path);
    }
  })();
  await Promise.all([pipeline(await repository.blob(pack, { signal }), createZstdDecompress(), tar, { signal }), files]);
}

async function writeVerified(content: AsyncIterable<unknown>, digest: Digest, path: string): Promise<void> {
  const hash = createHash("sha256");
  const hashed = async function* (chunks: AsyncIterable<unknown>) {
    for await (const chunk of chunks) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("a tar entry gives bytes");
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(content, hashed, createWriteStream(path, { flags: "wx", mode: 0o600 }));
  const found = `sha256:${hash.digest("hex")}`;
  if (found !== digest) throw new PackError(`a pack holds a file under the name ${digest} whose content is ${found}`);
}

/** A pack does not hold what it says. */
export class PackError extends Error {
  override readonly name = "PackError";
}
