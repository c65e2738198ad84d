import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Nothing takes as long to make. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/** Where what is worth keeping is kept, per user and outside the checkout. */
export function cacheRoot() {
  return process.env.LAMINA_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "lamina");
}

/** A short hash of what something is made from. */
export function hashOf(sources) {
  return createHash("sha256").update(JSON.stringify(sources)).digest("hex").slice(0, 16);
}

/**
 * Makes `path` once: `make` fills a temporary sibling, which is renamed into place, so that half of it is never there.
 * packages/servers has the same for its own cache: this runs before anything is installed, and so imports none of our packages.
 */
export async function makeOnce(path, make) {
  if (existsSync(path)) return;
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  await mkdir(temporary, { recursive: true });
  try {
    await make(temporary);
    await rename(temporary, path);
  } catch (error) {
    // Another run may have been first.
    if (!existsSync(path)) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Removes what runs that were interrupted have left in the cache. */
export async function removeAbandoned(cache) {
  if (!existsSync(cache)) return;
  const temporary = (await readdir(cache)).filter((name) => name.endsWith(".tmp")).map((name) => join(cache, name));
  for (const path of temporary) {
    // It may be renamed into place meanwhile.
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}
