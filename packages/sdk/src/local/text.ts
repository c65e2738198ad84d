/** Local files that are read as text. */
import { stat } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { chunksOf, type FileStamp, openFile, stampOf } from "./digest.ts";

/** The text of a file in the state that `stamp` describes, or in the present one. @throws ChangedWhileRead */
export async function readText(path: string, stamp?: FileStamp): Promise<string> {
  await using file = await openFile(path);
  return await text(chunksOf(file, { path, stamp: stamp ?? stampOf(await stat(path, { bigint: true })) }));
}
