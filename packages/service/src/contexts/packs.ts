/** Files out of packs: zstd-compressed tars of files that are named by the SHA-256 of their content. */
import { createHash, hash } from "node:crypto";
import { createWriteStream, writeFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
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

/** Writes the wanted files that a pack holds; stops when none is wanted any more. @throws {PackError} when a file is not what its name says */
export async function unpack(pack: Digest, { repository, wanted, signal }: UnpackOptions): Promise<void> {
  const tar = extract();
  let isEnough = false;
  const files = (async () => {
    for await (const entry of tar) {
      isEnough = wanted.size === 0;
      if (isEnough) break;
      const digest: Digest = `sha256:${entry.header.name}`;
      const path = wanted.get(digest);
      if (path === undefined) {
        entry.resume();
        continue;
      }
      wanted.delete(digest);
      if ((entry.header.size ?? Infinity) > SMALL_BYTES) await writeStream(entry, digest, path);
      else writeSmall(await buffer(entry), digest, path);
    }
  })();
  const reading = pipeline(await repository.blob(pack, { signal }), createZstdDecompress(), tar, { signal });
  await Promise.all([
    reading.catch((error: unknown) => {
      if (!isEnough) throw error;
    }),
    files,
  ]);
}

/** Up to this size a file is written at once, which takes a tenth of the time that a stream does. */
const SMALL_BYTES = 256 * 1024;

function writeSmall(content: Buffer, digest: Digest, path: string): void {
  requireDigest(`sha256:${hash("sha256", content)}`, digest);
  writeFileSync(path, content, { flag: "wx", mode: 0o600 });
}

async function writeStream(content: AsyncIterable<unknown>, digest: Digest, path: string): Promise<void> {
  const contentHash = createHash("sha256");
  const hashed = async function* (chunks: AsyncIterable<unknown>) {
    for await (const chunk of chunks) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("a tar entry gives bytes");
      contentHash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(content, hashed, createWriteStream(path, { flags: "wx", mode: 0o600 }));
  requireDigest(`sha256:${contentHash.digest("hex")}`, digest);
}

function requireDigest(found: Digest, digest: Digest): void {
  if (found !== digest) throw new PackError(`a pack holds a file under the name ${digest} whose content is ${found}`);
}

/** A pack does not hold what it says. */
export class PackError extends Error {
  override readonly name = "PackError";
}
