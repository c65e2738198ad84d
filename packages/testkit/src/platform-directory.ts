import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the directories of test platforms are named by, so that those of killed runs are found. */
export const PLATFORM_PREFIX = "lamina-test-platform-";

/** An empty directory for a platform. */
export function platformDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), PLATFORM_PREFIX));
}
