/** A search through files, those within compressed ones too: layers, packs and what the content stores of servers hold. */
import { createReadStream } from "node:fs";
import { open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import pLimit from "p-limit";
import { compressionOf } from "../compression.ts";
import type { Finder } from "./finder.ts";

const PIECE_BYTES = 1024 * 1024;
const FILES_AT_ONCE = 8;

/** Searches names, link targets and contents of all files below a directory. What is removed meanwhile is left out. */
export async function searchFiles(directory: string, finder: Finder): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const limit = pLimit(FILES_AT_ONCE);
  const look = async (path: string, entry: (typeof entries)[number]): Promise<void> => {
    finder.look(`the name ${path}`, Buffer.from(path));
    if (entry.isSymbolicLink()) finder.look(`the link ${path}`, await readlink(path, "buffer"));
    if (entry.isFile()) await searchFile(path, finder);
  };
  await Promise.all(entries.map((entry) => limit(() => look(join(entry.parentPath, entry.name), entry).catch(gone))));
}

/** Searches a file as it is, and what it holds compressed. A tar holds its members as they are. */
async function searchFile(path: string, finder: Finder): Promise<void> {
  const decompress = decompressorFor(await firstBytes(path));
  await finder.lookThrough(path, createReadStream(path, { highWaterMark: PIECE_BYTES }));
  if (decompress === undefined) return;
  const content = createReadStream(path, { highWaterMark: PIECE_BYTES });
  content.on("error", (error) => decompress.destroy(error));
  try {
    await finder.lookThrough(`${path}, decompressed`, content.pipe(decompress));
  } catch (error) {
    // It only began like a compressed file, or was not written to its end.
    if (!(error instanceof Error) || !("code" in error) || !/^(Z_|ZSTD_)/.test(String(error.code))) throw error;
  }
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function decompressorFor(bytes: Buffer): (Readable & NodeJS.WritableStream) | undefined {
  const compression = compressionOf(bytes);
  if (compression === "zstd") return createZstdDecompress({ chunkSize: PIECE_BYTES });
  return compression === "gzip" ? createGunzip({ chunkSize: PIECE_BYTES }) : undefined;
}

function gone(error: unknown): void {
  if (!(error instanceof Error) || !("code" in error) || (error.code !== "ENOENT" && error.code !== "ESRCH")) throw error;
}
