import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, rmSync, symlinkSync } from "node:fs";
import { chmod, lstat, mkdir, readFile, readlink, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { treeDigest } from "@lamina/ir";
import { type ErrorReason, Image, imageState } from "lamina";
import { expect, test } from "vitest";
import { stageTree } from "../src/local/stage.ts";
import { snapshotOf } from "../src/snapshot.ts";
import { snapshotOfCopy, workspace } from "./support/workspace.ts";

const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

test("a directory is kept as it is: modes, links, empty directories, FIFOs", async () => {
  await using place = await workspace();
  await place.write({ "run.sh": "#!/bin/sh\n", "lib/a.py": "a" });
  await chmod(place.path("run.sh"), 0o4775);
  await mkdir(place.path("empty"), { mode: 0o700 });
  await symlink("../nowhere", place.path("lib/dangling"));
  execFileSync("mkfifo", ["-m", "622", place.path("pipe")]);
  const { tree, operation } = await snapshotOfCopy((image) => image.copyLocalDir(place.directory, "/srv/app/"));
  expect(operation).toEqual({ kind: "copyLocalDir", tree: tree.digest, destination: "/srv/app" });
  expect(tree.entries).toEqual([
    { kind: "directory", path: "empty", mode: 0o700 },
    { kind: "directory", path: "lib", mode: 0o755 },
    { kind: "file", path: "lib/a.py", mode: 0o644, size: 1, digest: sha256("a") },
    { kind: "link", path: "lib/dangling", target: "../nowhere" },
    { kind: "fifo", path: "pipe", mode: 0o600 },
    { kind: "file", path: "run.sh", mode: 0o4755, size: 10, digest: sha256("#!/bin/sh\n") },
  ]);
  expect(tree.digest).toBe(treeDigest(tree.entries));
});

test("times, the place and the umask are out of the digest; a byte, a name, a mode, a link's target are in it", async () => {
  await using place = await workspace();
  await place.write({ "a/one": "1", "b/one": "1" });
  await symlink("one", place.path("a/link"));
  await symlink("one", place.path("b/link"));
  const digest = async (directory: string) =>
    (await snapshotOfCopy((image) => image.copyLocalDir(place.path(directory), "/x"))).tree.digest;
  const first = await digest("a");
  await utimes(place.path("b/one"), 1, 1);
  await chmod(place.path("b/one"), 0o666);
  expect(await digest("b")).toBe(first);

  const changes: (() => Promise<unknown>)[] = [
    () => writeFile(place.path("b/one"), "2"),
    () => rename(place.path("b/one"), place.path("b/two")),
    () => chmod(place.path("b/two"), 0o755),
    () => rm(place.path("b/link")).then(() => symlink("two", place.path("b/link"))),
    () => mkdir(place.path("b/empty")),
  ];
  const seen = new Set([first]);
  for (const change of changes) {
    await change();
    seen.add(await digest("b"));
  }
  expect(seen.size).toBe(changes.length + 1);
});

test("a condition gets each file's path with the given directory in front, and directories without a wanted file are left out", async () => {
  await using place = await workspace();
  await place.write({ "src/a.py": "a", "src/cache/a.pyc": "x", "src/deep/er/b.py": "b" });
  await mkdir(place.path("src/empty"));
  const asked: string[] = [];
  const given = `${place.path("src")}/`;
  const { tree } = await snapshotOfCopy((image) =>
    image.copyLocalDir(given, "/x", { condition: (path) => asked.push(path) > 0 && path.endsWith(".py") }),
  );
  expect(asked.sort()).toEqual(["a.py", "cache/a.pyc", "deep/er/b.py", "empty"].map((path) => given + path));
  expect(tree.entries.map(({ path }) => path)).toEqual(["a.py", "deep", "deep/er", "deep/er/b.py"]);
});

test("a condition that gives no boolean is an error", async () => {
  await using place = await workspace();
  await place.write({ a: "a" });
  const options = Object.fromEntries([["condition", async () => true]]);
  const copying = snapshotOfCopy((image) => image.copyLocalDir(place.directory, "/x", options));
  await expect(copying).rejects.toMatchObject(refusal("failed-condition", /the condition gave a promise; it must give true or false/));
});

test("a condition that fails is an error at the user's line, with the file that it was asked about", async () => {
  await using place = await workspace();
  await place.write({ a: "a" });
  const condition = () => {
    throw new Error("no such list");
  };
  await expect(snapshotOfCopy((image) => image.copyLocalDir(place.directory, "/x", { condition }))).rejects.toMatchObject({
    code: "INVALID_INPUT",
    reason: "failed-condition",
    message: `copyLocalDir: the condition failed for "${place.path("a")}": no such list`,
    info: { source: { file: import.meta.filename } },
  });
});

test("one file is a tree of one entry, under its own name", async () => {
  await using place = await workspace();
  await place.write({ ".env.production": "A=1" });
  const { tree, operation } = await snapshotOfCopy((image) => image.copyLocalFile(place.path(".env.production"), "/app/.env"));
  expect(operation).toEqual({ kind: "copyLocalFile", tree: tree.digest, destination: "/app/.env" });
  expect(tree.entries).toEqual([{ kind: "file", path: ".env.production", mode: 0o644, size: 3, digest: sha256("A=1") }]);
});

test("a directory that is given as a file is copied as a directory", async () => {
  await using place = await workspace();
  await place.write({ "src/a": "a" });
  const asFile = await snapshotOfCopy((image) => image.copyLocalFile(place.path("src"), "/src"));
  const asDirectory = await snapshotOfCopy((image) => image.copyLocalDir(place.path("src"), "/src"));
  expect(asFile.operation).toEqual(asDirectory.operation);
});

test("a link to a file that is read as text is followed", async () => {
  await using place = await workspace();
  await place.write({ "p/main.toml": '[project]\nname = "p"\n', "real.py": "def f(): pass\n" });
  await symlink("main.toml", place.path("p/pyproject.toml"));
  await symlink("real.py", place.path("f.py"));
  const packages = await snapshotOf(imageState(Image.debianSlim().addPythonPackages(place.path("p"))));
  expect(packages.definition.steps).toMatchObject([{ packages: [{ kind: "project" }] }]);
  const functions = await snapshotOf(imageState(Image.debianSlim().runFunction(`${place.path("f.py")}:f`)));
  expect(functions.definition.steps).toMatchObject([{ source: "def f(): pass\n" }]);
});

test("a link that is given itself is followed", async () => {
  await using place = await workspace();
  await place.write({ "real/a": "a" });
  await symlink("real", place.path("to-directory"));
  await symlink("real/a", place.path("to-file"));
  const { tree: directory } = await snapshotOfCopy((image) => image.copyLocalDir(place.path("to-directory"), "/x"));
  const { tree: file } = await snapshotOfCopy((image) => image.copyLocalFile(place.path("to-file"), "/x"));
  expect(directory.entries.map(({ path }) => path)).toEqual(["a"]);
  expect(file.entries).toMatchObject([{ kind: "file", path: "to-file", size: 1 }]);
});

test("an empty directory can be copied", async () => {
  await using place = await workspace();
  const { tree } = await snapshotOfCopy((image) => image.copyLocalDir(place.directory, "/x"));
  expect(tree.entries).toEqual([]);
});

test("a relative path starts at the working directory of the call", async () => {
  await using place = await workspace();
  await place.write({ "config/a": "a" });
  const before = process.cwd();
  process.chdir(place.directory);
  const copying = snapshotOfCopy((image) => image.copyLocalDir("./config"));
  process.chdir(before);
  const { operation, tree } = await copying;
  expect(operation).toMatchObject({ destination: "config" });
  expect(tree.entries.map(({ path }) => path)).toEqual(["a"]);
});

test("what an image cannot hold is refused, unless a condition leaves it out", async () => {
  await using place = await workspace();
  await place.write({ "keep/.wh.a": "a", "utf8/ok": "a", "socket/ok": "a" });
  const bad = Buffer.concat([Buffer.from(place.path("utf8/")), Buffer.from([0xff, 0xfe])]);
  await writeFile(bad, "a");
  const server = createServer().listen(place.path("socket/s"));
  const copy = (directory: string, condition?: (path: string) => boolean) =>
    snapshotOfCopy((image) => image.copyLocalDir(place.path(directory), "/x", condition && { condition }));
  try {
    await expect(copy("keep")).rejects.toMatchObject(
      refusal("reserved-file-name", /\.wh\.a" begins with \.wh\., which marks a deleted file/),
    );
    const single = snapshotOfCopy((image) => image.copyLocalFile(place.path("keep/.wh.a"), "/x"));
    await expect(single).rejects.toMatchObject(
      refusal("reserved-file-name", /copyLocalFile: ".*\.wh\.a" begins with \.wh\., .*; rename it/),
    );
    await expect(copy("utf8")).rejects.toMatchObject(refusal("name-not-utf8", /has a name that is not UTF-8/));
    await expect(copy("socket")).rejects.toMatchObject(refusal("special-file", /is a socket, which an image cannot hold/));
    await expect(copy("utf8", (path) => path.endsWith("ok"))).resolves.toBeDefined();
    await expect(copy("socket", (path) => path.endsWith("ok"))).resolves.toBeDefined();
  } finally {
    server.close();
  }
});

test("devices are refused, in a directory and by themselves", async () => {
  await using place = await workspace();
  await place.write({ "dev/ok": "a" });
  execFileSync("mknod", [place.path("dev/null"), "c", "1", "3"]);
  await expect(snapshotOfCopy((image) => image.copyLocalDir(place.path("dev"), "/x"))).rejects.toMatchObject(
    refusal("special-file", /dev\/null" is a device, .*; leave it/),
  );
  const single = snapshotOfCopy((image) => image.copyLocalFile(place.path("dev/null"), "/x"));
  await expect(single).rejects.toMatchObject(refusal("special-file", /copyLocalFile: ".*null" is not a file or a directory/));
  const ofKernel = snapshotOfCopy((image) => image.copyLocalFile("/proc/version", "/x"));
  await expect(ofKernel).rejects.toMatchObject(refusal("special-file", /"\/proc\/version" is made as it is read/));
});

test("links are kept as they are: out of the directory, in a circle, to the directory itself", async () => {
  await using place = await workspace();
  await place.write({ secret: "outside", "src/a": "a" });
  const targets = { out: "../secret", root: "/etc/passwd", self: "self", one: "two", two: "one", up: ".", above: ".." };
  for (const [name, target] of Object.entries(targets)) await symlink(target, place.path(`src/${name}`));
  const { tree } = await snapshotOfCopy((image) => image.copyLocalDir(place.path("src"), "/x"));
  const links = tree.entries.flatMap((entry) => (entry.kind === "link" ? [[entry.path, entry.target]] : []));
  expect(Object.fromEntries(links)).toEqual(targets);
  expect([...tree.files.values()].map(({ path }) => path)).toEqual([place.path("src/a")]);
  const circle = snapshotOfCopy((image) => image.copyLocalFile(place.path("src/one"), "/x"));
  await expect(circle).rejects.toMatchObject(refusal("link-cycle", /copyLocalFile: ".*src\/one" is a link that leads to itself/));
});

test.each([
  ["changes", (file: string) => appendFileSync(file, "more")],
  ["goes away", (file: string) => rmSync(file)],
  ["becomes a link", (file: string) => (rmSync(file), symlinkSync("/etc/passwd", file))],
])("a file that %s while it is read is an error at the user's line", async (_, change) => {
  await using place = await workspace();
  await place.write({ "src/a": "a" });
  const condition = (file: string) => (change(file), true);
  await expect(snapshotOfCopy((image) => image.copyLocalDir(place.path("src"), "/x", { condition }))).rejects.toMatchObject({
    code: "INVALID_INPUT",
    reason: "changed-file",
    message: `copyLocalDir: "${place.path("src/a")}" changed while it was read; try again when nothing writes to it`,
    info: { source: { file: import.meta.filename } },
  });
});

test("a file that is read as text is UTF-8", async () => {
  await using place = await workspace();
  const text = Buffer.from("# coding: latin-1\ndef f(): return '\u00e9'\n[project]\n", "latin1");
  await writeFile(place.path("f.py"), text);
  await mkdir(place.path("p"));
  await writeFile(place.path("p/pyproject.toml"), text);
  const refused = refusal("file-not-utf8", /\.(py|toml)" is not UTF-8; save it as UTF-8/);
  const base = Image.debianSlim();
  await expect(snapshotOf(imageState(base.runFunction(`${place.path("f.py")}:f`)))).rejects.toMatchObject(refused);
  await expect(snapshotOf(imageState(base.addPythonPackages(place.path("p"))))).rejects.toMatchObject(refused);
  await expect(snapshotOf(imageState(base.poetryInstallFromFile(place.path("p/pyproject.toml"))))).rejects.toMatchObject(refused);
});

test("a link whose target is not UTF-8 is refused", async () => {
  await using place = await workspace();
  await place.write({ "src/a": "a" });
  await symlink(Buffer.from([0x61, 0xff]), place.path("src/link"));
  await expect(snapshotOfCopy((image) => image.copyLocalDir(place.path("src"), "/x"))).rejects.toMatchObject(
    refusal("name-not-utf8", /link ".*src\/link" has a target that is not UTF-8; leave it out/),
  );
});

test("a file or a directory that may not be read is an error at the user's line", async () => {
  await using place = await workspace();
  await place.write({ "src/closed": "a", "dir/closed/a": "a" });
  await chmod(place.path("src/closed"), 0);
  await chmod(place.path("dir/closed"), 0);
  await chmod(dirname(place.directory), 0o777);
  const thrown = await asOrdinaryUser(async () => {
    const copies = [
      (image: Image) => image.copyLocalDir(place.path("src"), "/x"),
      (image: Image) => image.copyLocalDir(place.path("dir"), "/x"),
    ];
    return Promise.all(copies.map((copy) => snapshotOfCopy(copy).catch((error: unknown) => error)));
  });
  for (const name of ["src", "dir"]) {
    expect(thrown).toContainEqual(
      expect.objectContaining({
        code: "INVALID_INPUT",
        reason: "unreadable-file",
        message: `copyLocalDir: "${place.path(`${name}/closed`)}" may not be read by this user`,
        info: expect.objectContaining({ source: expect.objectContaining({ file: import.meta.filename }) }),
      }),
    );
  }
});

test("a path that is not there, or of the wrong kind, is an error at the user's line", async () => {
  await using place = await workspace();
  await place.write({ a: "a" });
  const missing = snapshotOfCopy((image) => image.copyLocalFile(place.path("nothing"), "/x"));
  await expect(missing).rejects.toMatchObject(refusal("missing-file", /copyLocalFile: there is no ".*nothing"/));
  await expect(snapshotOfCopy((image) => image.copyLocalDir(place.path("a"), "/x"))).rejects.toMatchObject(
    refusal("wrong-file-kind", /copyLocalDir: ".*a" is not a directory/),
  );
});

test("staging writes a tree back exactly", async () => {
  await using place = await workspace();
  await place.write({ "in/a b'\"$.txt": "1", "in/closed/x": "2", "in/é\n": "3" });
  await chmod(place.path("in/closed"), 0o555);
  await symlink("/etc/passwd", place.path("in/link"));
  execFileSync("mkfifo", [place.path("in/pipe")]);
  const { tree } = await snapshotOfCopy((image) => image.copyLocalDir(place.path("in"), "/x"));
  await stageTree(tree, place.path("out"));
  const { tree: again } = await snapshotOfCopy((image) => image.copyLocalDir(place.path("out"), "/x"));
  expect(again.digest).toBe(tree.digest);
  expect(await readlink(place.path("out/link"))).toBe("/etc/passwd");
  expect((await lstat(join(place.path("out"), "closed"))).mode & 0o777).toBe(0o555);
  expect(await readFile(place.path("out/é\n"), "utf8")).toBe("3");
});

/** An error at a line of this file. */
function refusal(reason: ErrorReason, message: RegExp) {
  return { code: "INVALID_INPUT", reason, message: expect.stringMatching(message), info: { source: { file: import.meta.filename } } };
}

/** Root may read everything, so reading is done as somebody else. */
async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
