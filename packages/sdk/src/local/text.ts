/** Local files that are read as text. */
import { realpath, stat } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { chunksOf, type FileStamp, openFile, stampOf } from "./digest.ts";
import { Unsupported } from "./walk.ts";

/** The text of a file in the state that `stamp` describes, or in the present one, a link then followed. @throws ChangedWhileRead, Unsupported */
export async function readText(path: string, stamp?: FileStamp): Promise<string> {
  const absolute = stamp === undefined ? await realpath(path) : path;
  await using file = await openFile(absolute);
  const present = stamp ?? stampOf(await stat(absolute, { bigint: true }));
  const bytes = await buffer(chunksOf(file, { path: absolute, stamp: present }));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Unsupported("file-not-utf8", `"${path}" is not UTF-8; save it as UTF-8`, { cause });
  }
}
