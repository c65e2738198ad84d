/** Twelve layers, one of them a directory of local files. */
import { Image } from "lamina";

export function unchanged(files: string): Image {
  let image = Image.debianSlim().env({ PROJECT: "bench" }).workdir("/app");
  for (let step = 1; step <= 8; step += 1) image = image.runCommands(`echo ${step} > /step-${step}`);
  return image.copyLocalDir(files, "/app/files").runCommands("ls /app/files > /listing");
}

export const image = unchanged(process.env["BENCH_FILES"] ?? ".");
