import { rm } from "node:fs/promises";
import { execa } from "execa";

/** Removes a directory with what it holds, directories that may not be written to among it. Root needs no permission for that, others do. */
export async function removeTree(directory: string): Promise<void> {
  const remove = () => rm(directory, { recursive: true, force: true });
  await remove().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EACCES") throw error;
    await execa("chmod", ["-R", "u+rwX", "--", directory]);
    await remove();
  });
}
