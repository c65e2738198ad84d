import { createHash, randomBytes } from "node:crypto";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Where a thing made from `sources` lies in the cache: `<cache>/<kind>-<hash of its sources>`. */
export function cachePath(cache: string, kind: string, sources: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(sources)).digest("hex");
  return join(cache, `${kind}-${hash.slice(0, 16)}`);
}

/**
 * Makes `path` once: `make` fills a temporary sibling, which is then renamed into place. A run that is
 * interrupted leaves nothing at `path`, and of two at once the first to finish wins.
 */
export async function makeOnce(path: string, make: (temporary: string) => Promise<void>): Promise<string> {
  if (await exists(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await make(temporary);
    await renameUnlessMade(temporary, path);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return path;
}

/** Whether something lies at `path`. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function renameUnlessMade(temporary: string, path: string): Promise<void> {
  try {
    await rename(temporary, path);
  } catch (error) {
    if (!(await exists(path))) throw error;
  }
}
