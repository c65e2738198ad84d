/** Checking a pack while it passes: every file in it is what its name says. */
import { LaminaError } from "@lamina/api";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";
import { extract } from "tar-stream";

export interface PackedFile {
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
}

export interface VerifiedPack {
  /** The bytes of the pack as they came. Ends only when all files were found right; otherwise it throws CONTEXT_CORRUPT. */
  readonly stream: AsyncIterable<Uint8Array>;
  /** What was found in it, once the stream has ended. */
  readonly files: readonly PackedFile[];
}

/** Lets a pack through piece by piece; no more of it is in memory than the pieces on their way. */
export function verifiedPack(source: AsyncIterable<Uint8Array>): VerifiedPack {
  const files: PackedFile[] = [];
  return { stream: throughVerification(source, files), files };
}

async function* throughVerification(source: AsyncIterable<Uint8Array>, files: PackedFile[]): AsyncGenerator<Uint8Array> {
  const decompress = createZstdDecompress();
  const outcome = readFiles(decompress, files).then(
    () => undefined,
    (error: unknown) => corrupt(error),
  );
  try {
    for await (const chunk of source) {
      // What breaks it off is the outcome too.
      if (!decompress.destroyed && !decompress.write(chunk)) await Promise.race([once(decompress, "drain").catch(() => outcome), outcome]);
      if (decompress.destroyed) break;
      yield chunk;
    }
    decompress.end();
    const error = await outcome;
    if (error !== undefined) throw error;
  } finally {
    decompress.destroy();
  }
}

async function readFiles(decompress: ReturnType<typeof createZstdDecompress>, files: PackedFile[]): Promise<void> {
  const entries = extract();
  const unpacked = pipeline(decompress, entries);
  const named = (async () => {
    for await (const entry of entries) {
      const { name, type } = entry.header;
      if (type !== "file" || !/^[0-9a-f]{64}$/.test(name)) throw new Error(`"${name}" is not a file named by its SHA-256`);
      const hash = createHash("sha256");
      let size = 0;
      for await (const chunk of entry) {
        if (!(chunk instanceof Uint8Array)) throw new TypeError("the tar reader gave no bytes");
        hash.update(chunk);
        size += chunk.length;
      }
      if (hash.digest("hex") !== name) throw new Error(`the content of ${name} is not what its name says`);
      files.push({ digest: `sha256:${name}`, size });
    }
  })();
  await Promise.all([unpacked, named]);
}

function corrupt(cause: unknown): LaminaError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LaminaError({ code: "CONTEXT_CORRUPT", message: `The pack cannot be taken: ${reason}.` }, { cause });
}
