/** A value that another process can read by a path while no file has a name for it. */
import { randomUUID } from "node:crypto";
import { open, rm, type FileHandle } from "node:fs/promises";

/**
 * Keeps a value in memory (tmpfs) behind an open file whose name is gone before the value is written,
 * so that nothing is left of it whoever is killed. A child that inherits the file's descriptor reads
 * it by `/dev/fd/<number>`, as often as it wants.
 */
export async function sealedFile(value: string): Promise<FileHandle> {
  const path = `/dev/shm/lamina-${randomUUID()}`;
  const file = await open(path, "wx+", 0o600);
  try {
    await rm(path);
    await file.writeFile(value);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
