/** Large local files. */
import { Image } from "lamina";

export const image = Image.debianSlim().copyLocalDir(process.env["BENCH_FILES"] ?? ".", "/data");
