/** Packs: several files in one compressed tar, each named by its digest, made while it is read. */
import type { Digest } from "@lamina/ir";
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
  /** The compressed tar. Destroying it ends the reading too. A stream of Node, whose types the SDK's own must not need. */
  readonly body: AsyncIterable<Uint8Array> & { destroy(): unknown };
  /** Of its files, before compression, in bytes. */
  readonly size: number;
  /** What kept a file from being read, once the body has failed by that. */
  readonly readFailure: () => unknown;
}

/** Packs files; `onRead` hears of the bytes of their content as they are read. Memory stays flat: files are read no faster than the body is. */
export function packOf(files: readonly PackedFile[], onRead: (bytes: number) => void): Pack {
  const tar = createTar();
  const body = createZstdCompress();
  // Both ends of the pipe hear of an error by being destroyed with it.
  pipe(tar, body, () => {});
  let readFailure: unknown;
  const contents = async function* (file: PackedFile) {
    try {
      await using handle = await openFile(file.path);
      for await (const chunk of chunksOf(handle, file)) {
        onRead(chunk.length);
        yield chunk;
      }
    } catch (error) {
      readFailure = error;
      throw error;
    }
  };
  fill(tar, files, contents).catch((error: Error) => tar.destroy(error));
  const size = files.reduce((sum, { stamp }) => sum + Number(stamp.size), 0);
  return { body, size, readFailure: () => readFailure };
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

async function fill(tar: Tar, files: readonly PackedFile[], contents: (file: PackedFile) => AsyncIterable<Buffer>): Promise<void> {
  for (const file of files) {
    const entry = tar.entry({ name: file.digest.slice("sha256:".length), size: Number(file.stamp.size), mtime: new Date(0) });
    await pipeline(contents(file), entry);
  }
  tar.finalize();
}
