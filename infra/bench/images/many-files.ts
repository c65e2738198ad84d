/** A directory of many local files. */
import { Image } from "lamina";

export function manyFiles(files: string): Image {
  return Image.debianSlim().copyLocalDir(files, "/app");
}

export const image = manyFiles(process.env["BENCH_FILES"] ?? ".");
