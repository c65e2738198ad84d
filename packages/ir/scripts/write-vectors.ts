/**
 * Writes `vectors/` anew: `node packages/ir/scripts/write-vectors.ts`. New cases may be added at any
 * time; what a builder version made of an old one never changes.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { vectorFiles, vectorsDirectory } from "./vectors.ts";

await rm(vectorsDirectory, { recursive: true, force: true });
for (const [path, content] of vectorFiles()) {
  const target = new URL(path, vectorsDirectory);
  await mkdir(new URL(".", target), { recursive: true });
  await writeFile(target, content);
}
