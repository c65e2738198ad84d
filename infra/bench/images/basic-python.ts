/** The reference's basic Python environment, in an image that nobody has made before. */
import { Image } from "lamina";

export const PACKAGES = ["requests", "beautifulsoup4", "pandas==2.0.0"] as const;

// `forceBuild`, and `--no-cache` of the peer, would have BuildKit throw the package cache away.
export const image = Image.debianSlim({ pythonVersion: "3.11" })
  .env({ BENCH_RUN: process.env["BENCH_NONCE"] ?? "" })
  .pipInstall(...PACKAGES);
