/** What is left out of a copied directory, held against BuildKit's own verdict on the same patterns. */
import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { servers } from "@lamina/testkit";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ignoreFault, ignoringOf, type Verdict } from "../src/local/ignore.ts";
import { walk } from "../src/local/walk.ts";
import { snapshotOfCopy, type Workspace, workspace } from "./support/workspace.ts";

const run = promisify(execFile);
const NAMES = ["a", "ab", "b.log", "(c)", "d+", "E", ".e", "constructor"];

/** Every name beside every other, and in directories of those names. */
async function writeNames(place: Workspace): Promise<void> {
  const files = NAMES.flatMap((one) => (one.length === 1 ? [] : [one, `a/${one}`, `b/a/${one}`, `b/c/${one}`]));
  await place.write(Object.fromEntries(files.map((file) => [`tree/${file}`, file])));
  await mkdir(place.path("tree/a/empty"));
}

const segment = fc.constantFrom(
  ...NAMES,
  "*",
  "**",
  "?",
  "a*",
  "*.log",
  "**b",
  "[ab]",
  "[^a]",
  "[a-c]*",
  "\\*",
  "empty",
  "b",
  "c",
  ".",
  "..",
);
const path = fc
  .tuple(fc.constantFrom("", "", "", "/", "./"), fc.array(segment, { minLength: 1, maxLength: 3 }), fc.constantFrom("", "", "/"))
  .map(([before, segments, after]) => `${before}${segments.join("/")}${after}`);
const line = fc.tuple(fc.constantFrom("", "", "!", "! ", " "), path).map(([before, text]) => before + text);
const patterns = fc.array(fc.oneof({ weight: 20, arbitrary: line }, { weight: 1, arbitrary: fc.constantFrom("# a", "", "  ") }), {
  maxLength: 5,
});

/** All below a directory, directories with a slash at the end. */
async function listed(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1) + (entry.isDirectory() ? "/" : "")).sort();
}

test("BuildKit takes and leaves the same", async () => {
  const { binaries, buildkit } = await servers();
  await using place = await workspace();
  await writeNames(place);
  await place.write({ "docker/Dockerfile": "FROM scratch\nCOPY . /\n" });
  const takenByBuildkit = async (lines: readonly string[]): Promise<string[]> => {
    await place.write({ "docker/Dockerfile.dockerignore": lines.join("\n") });
    const out = place.path("out");
    const locals = ["--local", `dockerfile=${place.path("docker")}`, "--local", `context=${place.path("tree")}`];
    await run(join(binaries, "buildctl"), [
      "--addr",
      buildkit.address,
      "build",
      "--frontend",
      "dockerfile.v0",
      ...locals,
      "--output",
      `type=local,dest=${out}`,
    ]);
    const taken = await listed(out);
    await run("rm", ["-rf", out]);
    return taken;
  };
  await fc.assert(
    fc.asyncProperty(patterns, async (lines) => {
      fc.pre(lines.every((one) => ignoreFault(one) === undefined));
      const { tree } = await snapshotOfCopy((image) => image.copyLocalDir(place.path("tree"), "/x", { ignore: lines.filter(isFilled) }));
      const taken = tree.entries.map((entry) => entry.path + (entry.kind === "directory" ? "/" : ""));
      expect(taken.sort()).toEqual(await takenByBuildkit(lines));
    }),
    { numRuns: 25 },
  );
});

const isFilled = (text: string) => text.trim() !== "";

test("a directory that is not read holds nothing that would be taken", async () => {
  await using place = await workspace();
  await writeNames(place);
  const all = (await listed(place.path("tree"))).filter((one) => !one.endsWith("/"));
  await fc.assert(
    fc.asyncProperty(patterns, async (lines) => {
      fc.pre(lines.every((one) => ignoreFault(one) === undefined));
      const ignoring = ignoringOf(lines);
      const verdictOn = (file: string): Verdict | undefined =>
        file
          .split("/")
          .map((_, index, parts) => parts.slice(0, index + 1).join("/"))
          .reduce<Verdict | undefined>((above, one) => ignoring.verdict(one, above), undefined);
      const found = await walk(place.path("tree"), { wanted: () => true, ignoring });
      const files = found.filter(({ stats }) => stats.isFile()).map((one) => one.path);
      expect(files.sort()).toEqual(all.filter((file) => verdictOn(file)?.isIgnored === false));
    }),
  );
});

describe("an ignored directory is read only where an exception may be in it", () => {
  test.each([
    [["node_modules"], true],
    [["node_modules", "!src"], true],
    [["**", "!src", "node_modules"], true],
    [["node_modules/**", "node_modules", "!node_modules/keep"], false],
    [["node_modules", "!**/keep"], false],
    [["!**/keep", "node_modules"], true],
    [["*", "!node_*/keep"], false],
  ])("%j", (lines, isClosed) => {
    expect(ignoringOf(lines).verdict("node_modules", undefined)).toMatchObject({ isIgnored: true, isClosed });
  });
});

test("the .dockerignore of a directory counts, is copied itself, and comes before the patterns of the call", async () => {
  await using place = await workspace();
  await place.write({
    "src/.dockerignore": "\ufeff# what is made\r\n*.log\n\n!keep.log\n/build/\n",
    "src/a.log": "",
    "src/keep.log": "",
    "src/deep/a.log": "",
    "src/build/x": "",
    "src/deep/build/x": "",
  });
  const taken = async (ignore?: string | string[]) => {
    const { tree } = await snapshotOfCopy((image) => image.copyLocalDir(place.path("src"), "/x", { ignore }));
    return tree.entries.flatMap((entry) => (entry.kind === "file" ? [entry.path] : []));
  };
  expect(await taken()).toEqual([".dockerignore", "deep/a.log", "deep/build/x", "keep.log"]);
  expect(await taken(["keep.log", ".dockerignore", "!build"])).toEqual(["build/x", "deep/a.log", "deep/build/x"]);
  expect(await taken("!**")).toContain("a.log");
  const asFile = await snapshotOfCopy((image) => image.copyLocalFile(place.path("src"), "/x"));
  expect(asFile.tree.entries.map((entry) => entry.path)).not.toContain("a.log");
});

test("a condition is asked of what is not ignored, and special files that are ignored are no matter", async () => {
  await using place = await workspace();
  await place.write({ "src/a.py": "", "src/b.txt": "", "src/cache/.wh.x": "", "src/cache/c.py": "" });
  const asked: string[] = [];
  const { tree } = await snapshotOfCopy((image) =>
    image.copyLocalDir(place.path("src"), "/x", { ignore: "cache", condition: (file) => asked.push(file) > 0 && file.endsWith(".py") }),
  );
  expect(asked.sort()).toEqual([place.path("src/a.py"), place.path("src/b.txt")]);
  expect(tree.entries.map((entry) => entry.path)).toEqual(["a.py"]);
});

test("a line that is no pattern is an error that names the file and the line", async () => {
  await using place = await workspace();
  await place.write({ "src/.dockerignore": "*.log\n[z-a]\n" });
  await expect(snapshotOfCopy((image) => image.copyLocalDir(place.path("src"), "/x"))).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: `copyLocalDir: "${place.path("src/.dockerignore")}" has no pattern in line 2, "[z-a]": a range between [ and ] runs backwards`,
    info: { source: { file: import.meta.filename } },
  });
});

test.each([
  ["[a", /a \[ has no \]/],
  ["a[]", /a \[ has no \]/],
  ["a\\", /nothing after the \\/],
  ["!", /nothing after the !/],
  ["[b-a]", /runs backwards/],
])("%s is no pattern", (text, fault) => expect(ignoreFault(text)).toMatch(fault));

test("a directory of that name ignores nothing", async () => {
  await using place = await workspace();
  await mkdir(place.path(".dockerignore"));
  await writeFile(place.path(".dockerignore/a"), "");
  const { tree } = await snapshotOfCopy((image) => image.copyLocalDir(place.directory, "/x"));
  expect(tree.entries.map((entry) => entry.path)).toEqual([".dockerignore", ".dockerignore/a"]);
});
