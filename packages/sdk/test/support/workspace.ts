/** A directory of a test's own, with a home for the SDK beside it. */
import { Image } from "lamina";
import { mkdir, mkdtemp, realpath, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { imageState } from "../../src/image-state.ts";
import { removeTrees } from "../../src/local/stage.ts";
import { type Snapshot, snapshotOf } from "../../src/snapshot.ts";

export interface Workspace extends AsyncDisposable {
  readonly directory: string;
  /** A path in the directory. */
  path(relative: string): string;
  /** Writes files, and the directories that they are in. */
  write(files: Readonly<Record<string, string | Buffer>>): Promise<void>;
}

export async function workspace(): Promise<Workspace> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "lamina-sdk-")));
  const directory = join(root, "files");
  await mkdir(directory);
  const before = process.env["LAMINA_HOME"];
  process.env["LAMINA_HOME"] = join(root, "home");
  const path = (relative: string) => join(directory, relative);
  return {
    directory,
    path,
    write: async (files) => {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(path(name)), { recursive: true });
        await writeFile(path(name), content);
      }
    },
    [Symbol.asyncDispose]: async () => {
      if (before === undefined) delete process.env["LAMINA_HOME"];
      else process.env["LAMINA_HOME"] = before;
      await removeTrees(root);
    },
  };
}

/** The snapshot of an image that copies once, with its only tree. */
export async function snapshotOfCopy(add: (image: Image) => Image) {
  const snapshot: Snapshot = await snapshotOf(imageState(add(Image.debianSlim())));
  const [operation] = snapshot.definition.steps;
  const [tree] = snapshot.trees.values();
  if (operation === undefined || tree === undefined) throw new Error("the image copies nothing");
  return { operation, tree, snapshot };
}
