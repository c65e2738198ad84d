import { join } from "node:path";

const LONGEST_PATH_BYTES = 107;

/** The path of a Unix socket under `directory`. Throws when it is longer than the kernel takes. */
export function unixSocket(directory: string, ...segments: readonly string[]): string {
  const path = join(directory, ...segments);
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) {
    throw new Error(`${path} is too long for a Unix socket (${LONGEST_PATH_BYTES} bytes at most): use a directory with a shorter path.`);
  }
  return path;
}
