import { createHash, randomUUID } from "node:crypto";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, readlink, stat, lstat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { PACK_MEDIA_TYPE, TREE_ARTIFACT_TYPE, TREE_ENTRIES_MEDIA_TYPE } from "@lamina/api";
import { canonicalJson, type Digest, sortEntries, treeDigest, type TreeEntry } from "@lamina/ir";
import { createRegistry, encodeManifest, mediaTypes, type Repository } from "@lamina/registry";
import { freshNamespace, servers } from "@lamina/testkit";
import { removeTree, createTreeDirectories, type TreeDirectories } from "@lamina/service";
import { pack } from "tar-stream";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { stageContext } from "../src/contexts/stage.ts";

let contexts: Repository;
beforeEach(async () => {
  const { registry } = await servers();
  const credentials = { username: registry.user, password: registry.password };
  contexts = createRegistry({ host: registry.host, insecure: true, credentials }).repository(`${freshNamespace()}/contexts`);
});

const signal = new AbortController().signal;
const digestOf = (content: string): Digest => `sha256:${createHash("sha256").update(content).digest("hex")}`;
const file = (path: string, content: string, mode = 0o644): TreeEntry & { kind: "file" } => ({
  kind: "file",
  path,
  mode,
  size: Buffer.byteLength(content),
  digest: digestOf(content),
});

/** Stores a pack of these contents, each under the name that is given or its own. */
async function storePack(contents: readonly string[], name = (content: string) => digestOf(content).slice(7)) {
  const tar = pack();
  for (const content of contents) tar.entry({ name: name(content), size: Buffer.byteLength(content) }, content);
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return contexts.putBlob({ bytes: zstdCompressSync(Buffer.concat(chunks)) });
}

interface StoredTree {
  readonly tree: Digest;
  readonly manifest: Digest;
}

async function storeTree(entries: readonly TreeEntry[], packs: readonly { digest: string; size: number }[]): Promise<StoredTree> {
  const tree = treeDigest(entries);
  const entriesBlob = await contexts.putBlob({ bytes: Buffer.from(canonicalJson(sortEntries(entries))) });
  const config = await contexts.putBlob({ bytes: Buffer.from("{}") });
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: TREE_ARTIFACT_TYPE,
    config: { mediaType: mediaTypes.ociEmpty, ...config },
    layers: [
      { mediaType: TREE_ENTRIES_MEDIA_TYPE, ...entriesBlob },
      ...packs.map(({ digest, size }) => ({ mediaType: PACK_MEDIA_TYPE, digest, size })),
    ],
  });
  await contexts.putManifest(manifest);
  return { tree, manifest: `sha256:${manifest.digest.slice(7)}` };
}

async function newDirectories(): Promise<TreeDirectories> {
  const directory = await mkdtemp(join(tmpdir(), "lamina-stage-"));
  onTestFinished(() => removeTree(directory));
  return createTreeDirectories({ directory, prefix: "test" });
}

function stageIn(directories: TreeDirectories, { tree, manifest }: StoredTree, kind: "directory" | "file" = "directory") {
  const trees = { [tree]: { repository: contexts.name, digest: manifest } };
  return stageContext({ name: "files", kind, tree }, { directories, trees, repository: () => contexts, signal });
}

async function stage(stored: StoredTree, kind?: "directory" | "file"): Promise<string> {
  return (await stageIn(await newDirectories(), stored, kind)).directory;
}

/** What lies in a directory: kind, mode, and content or target, by path. */
function contentOf(root: string): Record<string, string> {
  const paths = execFileSync("find", [root, "-mindepth", "1", "-printf", "%P\\0%y %m %l\\0"]).toString().split("\0");
  const pairs = Array.from({ length: (paths.length - 1) / 2 }, (_, index) => [paths[index * 2] ?? "", paths[index * 2 + 1] ?? ""] as const);
  return Object.fromEntries(
    pairs.map(([path, what]) => [path, what.startsWith("f") ? `${what}${readFileSync(join(root, path), "utf8")}` : what]),
  );
}

describe("a tree of local files is staged", () => {
  test("exactly: odd names, modes, links, FIFOs, empty directories, the same content twice", async () => {
    const odd = ["a b", "-n", "ä\n*?[x]", '"quoted"', "$HOME", "t/deep/er/file"];
    const contents = [...odd, "shared", ""];
    const entries: TreeEntry[] = [
      { kind: "directory", path: "t", mode: 0o755 },
      { kind: "directory", path: "t/deep", mode: 0o555 },
      { kind: "directory", path: "t/deep/er", mode: 0o700 },
      { kind: "directory", path: "empty", mode: 0o1755 },
      ...odd.map((path) => file(path, path)),
      file("twice-1", "shared", 0o600),
      file("twice-2", "shared", 0o4755),
      file("nothing", ""),
      { kind: "link", path: "link", target: "../outside" },
      { kind: "link", path: "dangling", target: "/no/such/place" },
      { kind: "fifo", path: "-fifo", mode: 0o640 },
    ];
    const root = join(
      await stage(await storeTree(entries, [await storePack(contents.slice(0, 3)), await storePack(contents.slice(3))])),
      "t",
    );
    for (const path of odd) expect(await readFile(join(root, path), "utf8")).toBe(path);
    const mode = async (path: string) => (await lstat(join(root, path))).mode & 0o7777;
    const withModes = entries.flatMap((entry) => ("mode" in entry ? [entry] : []));
    for (const entry of withModes) expect([entry.path, await mode(entry.path)]).toEqual([entry.path, entry.mode]);
    expect(await readlink(join(root, "link"))).toBe("../outside");
    expect(await readlink(join(root, "dangling"))).toBe("/no/such/place");
    expect((await stat(join(root, "-fifo"))).isFIFO()).toBe(true);
    expect(await readdir(join(root, "empty"))).toEqual([]);
    expect(execFileSync("find", [root, "-mindepth", "1", "-printf", "x"]).length).toBe(entries.length);
  });

  test("under f/ when it is one file to copy", async () => {
    const directory = await stage(await storeTree([file("name", "content")], [await storePack(["content"])]), "file");
    expect(await readFile(join(directory, "f", "name"), "utf8")).toBe("content");
  });

  test("from packs that hold more than it needs", async () => {
    const directory = await stage(await storeTree([file("one", "1")], [await storePack(["0", "1", "2"]), await storePack(["1", "3"])]));
    expect(await readdir(join(directory, "t"))).toEqual(["one"]);
  });

  test.each<[string, RegExp, () => Promise<StoredTree>]>([
    ["a file is in no pack", /in none of its packs/, async () => storeTree([file("one", "1")], [await storePack(["2"])])],
    [
      "a pack holds another content under a file's name",
      /whose content is/,
      async () => storeTree([file("one", "1")], [await storePack(["2"], () => digestOf("1").slice(7))]),
    ],
    [
      "a file lies below a link",
      /two entries in one place/,
      async () => storeTree([{ kind: "link", path: "a", target: "/tmp" }, file("a/b", "1")], [await storePack(["1"])]),
    ],
    [
      "the manifest names another tree",
      /names another tree/,
      async () => ({ ...(await storeTree([file("one", "1")], [])), tree: treeDigest([file("two", "2")]) }),
    ],
  ])("or refused as corrupt when %s", async (_, message, store) => {
    const error = await store()
      .then(stage)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CONTEXT_CORRUPT", message: expect.stringMatching(message) });
  });

  test("or missed when the registry lost it", async () => {
    const lost = { tree: treeDigest([]), manifest: digestOf(randomUUID()) };
    await expect(stage(lost)).rejects.toMatchObject({ code: "CONTEXT_MISSING" });
  });

  test("by the changes only where most of it is there from before, and is the same as if made anew", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `kept/${index}`);
    const kept = [{ kind: "directory", path: "kept", mode: 0o555 } as const, ...names.map((path) => file(path, path))];
    const before: TreeEntry[] = [
      ...kept,
      file("edited", "1"),
      file("gone/deep/file", "2"),
      file("becomes-directory", "3"),
      { kind: "directory", path: "becomes-file", mode: 0o755 },
      file("becomes-file/x", "4"),
      file("other-mode", "5"),
      { kind: "link", path: "link", target: "edited" },
      { kind: "directory", path: "closed", mode: 0o500 },
      file("closed/x", "6"),
    ];
    const after: TreeEntry[] = [
      ...kept,
      file("edited", "1 and more"),
      file("moved", "2"),
      file("becomes-directory/x", "3"),
      file("becomes-file", "4"),
      file("other-mode", "5", 0o755),
      { kind: "link", path: "link", target: "moved" },
      { kind: "directory", path: "closed", mode: 0o700 },
      file("closed/y", "kept/0"),
      { kind: "fifo", path: "new-fifo", mode: 0o644 },
    ];
    const first = await storeTree(before, [await storePack([...names, "1", "2", "3", "4", "5", "6"])]);
    const packs = [await storePack(["1 and more"]), await storePack([...names, "2", "3", "4", "5"])];
    const second = await storeTree(after, packs);
    const directories = await newDirectories();
    const staged = await stageIn(directories, first);
    const inode = (await stat(join(staged.directory, "t", "kept/7"))).ino;
    await staged[Symbol.asyncDispose]();
    const again = await stageIn(directories, second);
    expect(again).toMatchObject({ directory: staged.directory, name: staged.name });
    expect((await stat(join(again.directory, "t", "kept/7"))).ino).toBe(inode);
    expect(contentOf(again.directory)).toEqual(contentOf(await stage(second)));
  });

  test("apart from another that is in use or has little in common with it", async () => {
    const directories = await newDirectories();
    const stored = await storeTree([file("a", "1"), file("b", "2")], [await storePack(["1", "2"])]);
    const other = await storeTree([file("a", "1"), file("c", "2"), file("d", "2")], [await storePack(["1", "2"])]);
    const first = await stageIn(directories, stored);
    const second = await stageIn(directories, stored);
    expect(second.directory).not.toBe(first.directory);
    await first[Symbol.asyncDispose]();
    const third = await stageIn(directories, other);
    expect(third.directory).not.toBe(first.directory);
    expect(await readdir(join(first.directory, "t"))).toEqual(["a", "b"]);
  });

  test("after one that could not be staged, in a directory of its own", async () => {
    const directories = await newDirectories();
    const broken = await storeTree([file("a", "1"), file("b", "2")], [await storePack(["1"])]);
    await expect(stageIn(directories, broken)).rejects.toThrow(/in none of its packs/);
    const whole = await stageIn(directories, await storeTree([file("a", "1")], [await storePack(["1"])]));
    expect(await readdir(join(whole.directory, "t"))).toEqual(["a"]);
  });
});
