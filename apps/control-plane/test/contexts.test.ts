import { TREE_ENTRIES_MEDIA_TYPE } from "@lamina/api";
import { type TreeEntry, treeDigest } from "@lamina/ir";
import { createRegistry, isIndex } from "@lamina/registry";
import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { zstdCompressSync } from "node:zlib";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import { fakeBuilder } from "./support/builder.ts";
import { client, testControlPlane } from "./support/platform.ts";
import { deleteFromRegistry } from "./support/registry.ts";
import { attemptOf, definition, plan, startBuild } from "./support/requests.ts";

const nameOf = (content: string) => createHash("sha256").update(content).digest("hex");
const digestOf = (content: string) => `sha256:${nameOf(content)}`;
const file = (path: string, content: string, size = content.length): TreeEntry => ({
  kind: "file",
  path,
  mode: 0o644,
  size,
  digest: digestOf(content),
});

/** A pack with these entries, in pieces as they would come over a connection. */
async function* packOf(
  entries: readonly { readonly name: string; readonly content: string; readonly type?: "symlink" }[],
  cut = 0,
): AsyncGenerator<Uint8Array> {
  const tar = pack();
  for (const { name, content, type = "file" } of entries) tar.entry(type === "file" ? { name } : { name, type, linkname: "x" }, content);
  tar.finalize();
  const bytes = zstdCompressSync(await buffer(tar));
  const end = bytes.length - cut;
  for (let start = 0; start < end; start += 50) yield bytes.subarray(start, Math.min(start + 50, end));
}

const packed = (...contents: readonly string[]) => packOf(contents.map((content) => ({ name: nameOf(content), content })));

test("files that were packed are known, and a tree of them is kept where builders find it", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const { contexts } = platform.services;
  const wanted = ["one", "two", "three"].map(digestOf);
  expect(await contexts.missingFiles(client, { files: wanted })).toEqual(wanted);
  expect(await platform.packs.take("default", packed("one", "two"))).toMatchObject({ files: 2 });
  expect(await contexts.missingFiles(client, { files: wanted })).toEqual([digestOf("three")]);

  const entries: TreeEntry[] = [file("b", "two"), { kind: "directory", path: "empty", mode: 0o755 }, file("a", "one"), file("c", "one")];
  const { tree } = await contexts.commitTree(client, { entries });
  expect(tree).toBe(treeDigest(entries));
  const copying = definition([{ kind: "copyLocalDir", tree, destination: "/x" }]);
  expect((await plan(platform, copying)).missingTrees).toEqual([]);

  const held = await builder.claim(await attemptOf(platform, await startBuild(platform, copying)));
  const location = held?.claimed.trees[tree];
  const repository = createRegistry(platform.config.registry).repository(location?.repository ?? "");
  const { content } = await repository.manifest(location?.digest ?? "");
  if (isIndex(content)) throw new Error("a tree is one manifest");
  expect(content.layers.map(({ mediaType }) => mediaType)).toEqual([TREE_ENTRIES_MEDIA_TYPE, expect.stringContaining("pack")]);
  expect(content.layers[0]?.digest).toBe(tree);
});

test("a pack with a file that is not what its name says is refused, and nothing of it is known", async () => {
  await using platform = await testControlPlane();
  const lying = packOf([
    { name: nameOf("honest"), content: "honest" },
    { name: nameOf("what it says"), content: "what it is" },
  ]);
  await expect(platform.packs.take("default", lying)).rejects.toMatchObject({ code: "CONTEXT_CORRUPT" });
  expect(await platform.services.contexts.missingFiles(client, { files: [digestOf("honest")] })).toHaveLength(1);
});

test("a pack that is cut, no pack at all, or holds anything but files is refused", async () => {
  await using platform = await testControlPlane();
  const bad = [
    packOf([{ name: nameOf("one"), content: "one" }], 10),
    packOf([{ name: "../etc/passwd", content: "one" }]),
    packOf([{ name: nameOf("one"), content: "", type: "symlink" }]),
    (async function* () {
      yield Buffer.from("this is no pack");
    })(),
  ];
  for (const source of bad) await expect(platform.packs.take("default", source)).rejects.toMatchObject({ code: "CONTEXT_CORRUPT" });
});

test("a large pack goes through", async () => {
  await using platform = await testControlPlane();
  const contents = Array.from({ length: 40 }, (_, index) => `${index}`.repeat(100_000));
  expect(await platform.packs.take("default", packed(...contents))).toMatchObject({ files: 40 });
});

test("a tree with a file that no pack holds, or of another size, is refused", async () => {
  await using platform = await testControlPlane();
  const { contexts } = platform.services;
  await platform.packs.take("default", packed("one"));
  const missing = contexts.commitTree(client, { entries: [file("a", "one"), file("b", "not there")] });
  await expect(missing).rejects.toMatchObject({ code: "CONTEXT_MISSING", message: expect.stringContaining("b") });
  const wrong = contexts.commitTree(client, { entries: [file("a", "one", 4)] });
  await expect(wrong).rejects.toMatchObject({ code: "CONTEXT_CORRUPT" });
});

test("a tree that no file system can hold is refused", async () => {
  await using platform = await testControlPlane();
  const { contexts } = platform.services;
  await platform.packs.take("default", packed("one"));
  const trees: readonly (readonly [string, TreeEntry[]])[] = [
    ["twice", [file("a", "one"), file("a", "one")]],
    ["below", [file("a", "one"), file("a/b", "one")]],
    [".wh.", [file("x/.wh.a", "one")]],
  ];
  for (const [reason, entries] of trees) {
    await expect(contexts.commitTree(client, { entries })).rejects.toMatchObject({
      code: "CONTEXT_CORRUPT",
      message: expect.stringContaining(reason),
    });
  }
});

test("local files that the registry lost are missing once an attempt has met it, and their tree is sent again", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const { contexts } = platform.services;
  const commit = (...contents: readonly string[]) =>
    contexts.commitTree(client, { entries: contents.map((content) => file(content, content)) });
  await platform.packs.take("default", packed("one", "two"));
  await platform.packs.take("default", packed("three"));
  const [{ tree }, { tree: sharing }, { tree: other }] = [await commit("one"), await commit("two", "three"), await commit("three")];
  const copying = definition([tree, sharing, other].map((copied) => ({ kind: "copyLocalDir", tree: copied, destination: "/x" })));
  expect((await plan(platform, copying)).missingTrees).toEqual([]);

  const build = await startBuild(platform, definition([{ kind: "copyLocalDir", tree, destination: "/x" }]));
  const held = await builder.claim(await attemptOf(platform, build));
  await held?.finish({ code: "CONTEXT_MISSING", message: "Local files are gone." });
  expect((await platform.services.builds.get(client, { id: build })).error?.code).toBe("CONTEXT_MISSING");
  expect((await plan(platform, copying)).missingTrees).toEqual([tree, sharing]);
  const files = ["one", "two", "three"].map(digestOf);
  expect(await contexts.missingFiles(client, { files })).toEqual(["one", "two"].map(digestOf));
});

test("a pack that the registry lost is not built into a tree, and its files are missing from then on", async () => {
  await using platform = await testControlPlane();
  const { contexts } = platform.services;
  const { digest } = await platform.packs.take("default", packed("one"));
  await deleteFromRegistry(platform.config, `${platform.config.repositoryPrefix}/default/contexts/blobs/${digest}`);
  const commit = contexts.commitTree(client, { entries: [file("a", "one")] });
  await expect(commit).rejects.toMatchObject({ code: "CONTEXT_MISSING", message: expect.stringContaining("sent again") });
  expect(await contexts.missingFiles(client, { files: [digestOf("one")] })).toEqual([digestOf("one")]);
});

test("a tree has a tag in the registry, so that it is no garbage", async () => {
  await using platform = await testControlPlane();
  const { config, services } = platform;
  const { tree } = await services.contexts.commitTree(client, { entries: [{ kind: "directory", path: "d", mode: 0o755 }] });
  const repository = createRegistry(config.registry).repository(`${config.repositoryPrefix}/default/contexts`);
  const tags: string[] = [];
  for await (const tag of repository.tags()) tags.push(tag);
  expect(tags).toEqual([tree.replace("sha256:", "")]);
});

test("a tree without files needs no pack", async () => {
  await using platform = await testControlPlane();
  const entries: TreeEntry[] = [{ kind: "directory", path: "d", mode: 0o755 }];
  expect(await platform.services.contexts.commitTree(client, { entries })).toEqual({ tree: treeDigest(entries) });
});
