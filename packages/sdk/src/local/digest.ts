/** The SHA-256 of local files, read as a stream. */
import { type Digest, Digest as DigestSchema } from "@lamina/ir";
import { createHash } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** What tells whether a file is still the one that was looked at; times in nanoseconds. */
export interface FileStamp {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
}

/** The file was another one, or another content, when reading ended than when it began. */
export class ChangedWhileRead extends Error {
  override readonly name = "ChangedWhileRead";
  readonly reason = "changed-file";
  readonly path: string;

  constructor(path: string, options?: ErrorOptions) {
    super(`"${path}" changed while it was read; try again when nothing writes to it`, options);
    this.path = path;
  }
}

export function stampOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): FileStamp {
  return { size, mtimeNs, ctimeNs, ino };
}

export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.ino === b.ino;
}

/** The digest of the file's content, all of it from the state that `stamp` describes. @throws ChangedWhileRead */
export async function digestOf(path: string, stamp: FileStamp): Promise<Digest> {
  await using file = await openFile(path);
  const hash = createHash("sha256");
  for await (const chunk of chunksOf(file, { path, stamp })) hash.update(chunk);
  return DigestSchema.parse(`sha256:${hash.digest("hex")}`);
}

/**
 * Opens a regular file that was looked at before; never follows a link that took its place, nor waits for a FIFO that did.
 * @throws ChangedWhileRead when the file is not there any more
 */
export async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const isGone =
      error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "ELOOP");
    throw isGone ? new ChangedWhileRead(path, { cause: error }) : error;
  }
}

/** The content in chunks. @throws ChangedWhileRead when it is not, or did not stay, what `stamp` says */
export async function* chunksOf(
  file: FileHandle,
  { path, stamp }: { readonly path: string; readonly stamp: FileStamp },
): AsyncGenerator<Buffer> {
  const unchanged = async () => sameStamp(stampOf(await file.stat({ bigint: true })), stamp);
  if (!(await unchanged())) throw new ChangedWhileRead(path);
  let read = 0n;
  while (read < stamp.size) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, null);
    if (bytesRead === 0) break;
    read += BigInt(bytesRead);
    yield buffer.subarray(0, bytesRead);
  }
  if (read !== stamp.size || !(await unchanged())) throw new ChangedWhileRead(path);
}

const CHUNK = 256 * 1024;
