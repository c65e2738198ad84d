/** Packs: several files in one compressed tar, each named by its digest, made while it is read. */
import type { Digest } from "@lamina/ir";
import type { Readable } from "node:stream";
import { pipeline as pipe } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdCompress } from "node:zlib";
import { type Pack as Tar, pack as createTar } from "tar-stream";
import { chunksOf, openFile } from "../local/digest.ts";
import type { LocalFile } from "../local/tree.ts";

export interface PackedFile extends LocalFile {
  readonly digest: Digest;
}

export interface Pack {
  /** The compressed tar. */
  readonly body: Readable;
  /** Settles when all files were read, or one could not be, or the body was destroyed. */
  readonly filled: Promise<void>;
}

/** Packs files; `onRead` hears of the bytes of their content as they are read. Memory stays flat: nothing is read before the body is. */
export function packOf(files: readonly PackedFile[], onRead: (bytes: number) => void): Pack {
  const tar = createTar();
  const body = createZstdCompress();
  pipe(tar, body, () => {});
  const filled = fill(tar, files, onRead).catch((error: Error) => {
    tar.destroy(error);
    throw error;
  });
  return { body, filled };
}

/** Groups files into packs of about 32 MiB; a file of that size or more has one to itself. */
export function groupFiles<File extends { readonly size: number }>(files: readonly File[]): File[][] {
  const groups = files.filter(({ size }) => size >= PACK_BYTES).map((file) => [file]);
  let group: File[] = [];
  let bytes = 0;
  for (const file of files.filter(({ size }) => size < PACK_BYTES)) {
    if (bytes + file.size > PACK_BYTES || group.length === PACK_FILES) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(file);
    bytes += file.size;
  }
  return group.length === 0 ? groups : [...groups, group];
}

const PACK_BYTES = 32 * 1024 * 1024;
/** So that many small files also go in parallel. */
const PACK_FILES = 10_000;

async function fill(tar: Tar, files: readonly PackedFile[], onRead: (bytes: number) => void): Promise<void> {
  for (const { digest, path, stamp } of files) {
    await using file = await openFile(path);
    const entry = tar.entry({ name: digest.slice("sha256:".length), size: Number(stamp.size), mtime: new Date(0) });
    await pipeline(async function* () {
      for await (const chunk of chunksOf(file, { path, stamp })) {
        onRead(chunk.length);
        yield chunk;
      }
    }, entry);
  }
  tar.finalize();
}
