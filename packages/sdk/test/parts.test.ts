import { chmod, mkdir, symlink } from "node:fs/promises";
import { treeDigest } from "@lamina/ir";
import { expect, test } from "vitest";
import { readParts, type TreePart } from "../src/local/parts.ts";
import { stageTree } from "../src/local/stage.ts";
import { workspace, type Workspace } from "./support/workspace.ts";

/** Reads parts of a workspace, each given by its relative path. */
function read(place: Workspace, parts: Readonly<Record<string, string>>, wanted?: TreePart["wanted"]) {
  const list = Object.entries(parts).map(([at, given]) => ({ given, path: place.path(given), place: at, wanted }));
  return readParts(list, { home: place.path("../home") });
}

test("files and directories become one tree, each at its own path, with the directories that hold them", async () => {
  await using place = await workspace();
  await place.write({ "a.whl": "a", "pkg/src/b.py": "b", "pkg/run": "c" });
  await mkdir(place.path("pkg/empty"), { mode: 0o700 });
  await chmod(place.path("pkg/run"), 0o775);
  await symlink("run", place.path("pkg/link"));
  const tree = await read(place, { "1/a.whl": "a.whl", "2/pkg": "pkg", "settings.toml": "a.whl" });
  const shown = tree.entries.map((entry) => [entry.path, entry.kind, "mode" in entry ? entry.mode.toString(8) : entry.target]);
  expect(shown).toEqual([
    ["1", "directory", "755"],
    ["1/a.whl", "file", "644"],
    ["2", "directory", "755"],
    ["2/pkg", "directory", "755"],
    ["2/pkg/empty", "directory", "700"],
    ["2/pkg/link", "link", "run"],
    ["2/pkg/run", "file", "755"],
    ["2/pkg/src", "directory", "755"],
    ["2/pkg/src/b.py", "file", "644"],
    ["settings.toml", "file", "644"],
  ]);
  expect(tree.digest).toBe(treeDigest(tree.entries));
  await stageTree(tree, place.path("out"));
  const again = await read(place, { "1": "out/1", "2": "out/2", "settings.toml": "out/settings.toml" });
  expect(again.digest).toBe(tree.digest);
});

test("a part may lie inside another one", async () => {
  await using place = await workspace();
  await place.write({ "src/lib/a": "a", b: "b" });
  await chmod(place.path("src/lib"), 0o700);
  const tree = await read(place, { "app/lib/b": "b", app: "src" });
  expect(tree.entries.map(({ path }) => path)).toEqual(["app", "app/lib", "app/lib/a", "app/lib/b"]);
  expect(tree.entries[1]).toMatchObject({ mode: 0o700 });
});

test("two parts at one path, or one below a file, are an error that names both", async () => {
  await using place = await workspace();
  await place.write({ a: "a", "d/a": "a", "d/x/y": "y" });
  await expect(read(place, { d: "d", "d/a": "a" })).rejects.toMatchObject({
    reason: "colliding-files",
    message: expect.stringContaining('"a" and "d" would both be at "d/a"'),
  });
  await expect(read(place, { x: "a", "x/y": "d" })).rejects.toMatchObject({
    reason: "colliding-files",
    message: expect.stringContaining('"d" and "a" would both be at "x"'),
  });
  await expect(read(place, { "x/y": "d", x: "a" })).rejects.toMatchObject({
    reason: "colliding-files",
    message: expect.stringContaining('"d" and "a" would both be at "x"'),
  });
});

test("a part that cannot be read is named as it was given", async () => {
  await using place = await workspace();
  await place.write({ "d/ok": "a", "d/.wh.x": "a" });
  await expect(read(place, { n: "nothing" })).rejects.toThrow(`there is no "nothing" (looked at ${place.path("nothing")})`);
  await expect(read(place, { d: "d" })).rejects.toThrow(/\.wh\.x" begins with \.wh\./);
  expect((await read(place, { d: "d" }, (path) => path === "ok")).entries.map(({ path }) => path)).toEqual(["d", "d/ok"]);
  const device = [{ given: "null", path: "/dev/null", place: "null" }];
  await expect(readParts(device, { home: place.path("../home") })).rejects.toThrow('"null" is not a file or a directory');
});
