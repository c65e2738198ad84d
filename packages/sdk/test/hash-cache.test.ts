import { createHash } from "node:crypto";
import { appendFile, lstat, mkdir, readdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { ChangedWhileRead, chunksOf, digestOf, openFile, stampOf } from "../src/local/digest.ts";
import { openHashCache } from "../src/local/hash-cache.ts";
import { type Workspace, workspace } from "./support/workspace.ts";

const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const stampAt = async (path: string) => stampOf(await lstat(path, { bigint: true }));
/** A clock that is ahead, so that what was just written counts as old. */
const later = () => Date.now() + 10_000;

/** Asks a newly opened cache, as another process would; tells the digest and whether the file was read. */
async function ask(place: Workspace, path: string, now = later) {
  let reads = 0;
  const read: typeof digestOf = (file, stamp) => {
    reads += 1;
    return digestOf(file, stamp);
  };
  const cache = await openHashCache({ home: place.path("home"), root: place.directory, now, read });
  const digest = await cache.digest(path, await stampAt(path));
  await cache.save();
  return { digest, reads };
}

test("a file that did not change is not read again", async () => {
  await using place = await workspace();
  await place.write({ a: "a" });
  expect(await ask(place, place.path("a"))).toEqual({ digest: sha256("a"), reads: 1 });
  expect(await ask(place, place.path("a"))).toEqual({ digest: sha256("a"), reads: 0 });
});

test("a file of the same size and time is read again when its content was written anew", async () => {
  await using place = await workspace();
  await place.write({ a: "a", b: "b" });
  await utimes(place.path("a"), 100, 100);
  await ask(place, place.path("a"));
  await writeFile(place.path("a"), "b");
  await utimes(place.path("a"), 100, 100);
  expect(await ask(place, place.path("a"))).toEqual({ digest: sha256("b"), reads: 1 });
});

test("another file in the place of the old one is read", async () => {
  await using place = await workspace();
  await place.write({ a: "a", b: "b" });
  await ask(place, place.path("a"));
  await rename(place.path("b"), place.path("a"));
  expect(await ask(place, place.path("a"))).toEqual({ digest: sha256("b"), reads: 1 });
});

test("a file that changed just before it was read is not remembered, since it could change again within the same tick", async () => {
  await using place = await workspace();
  await place.write({ a: "a" });
  await ask(place, place.path("a"), Date.now);
  expect(await ask(place, place.path("a"))).toMatchObject({ reads: 1 });
});

test("processes that save at once leave a cache that can be read", async () => {
  await using place = await workspace();
  const names = Array.from({ length: 20 }, (_, index) => `f${index}`);
  await place.write(Object.fromEntries(names.map((name) => [name, name])));
  await Promise.all(names.map((name) => ask(place, place.path(name))));
  const again = await Promise.all(names.map((name) => ask(place, place.path(name))));
  expect(again.map(({ digest }) => digest)).toEqual(names.map(sha256));
  expect(again.some(({ reads }) => reads === 0)).toBe(true);
  expect((await readdir(place.path("home/hashes"))).filter((name) => !name.endsWith(".json"))).toEqual([]);
});

test("a damaged cache is begun anew", async () => {
  await using place = await workspace();
  await place.write({ a: "a" });
  await ask(place, place.path("a"));
  const [file = ""] = await readdir(place.path("home/hashes"));
  await writeFile(place.path(`home/hashes/${file}`), "{");
  expect(await ask(place, place.path("a"))).toMatchObject({ reads: 1 });
});

test("what was not used for a month is forgotten", async () => {
  await using place = await workspace();
  await place.write({ a: "a", b: "b" });
  await ask(place, place.path("a"));
  await ask(place, place.path("b"), () => Date.now() + 40 * 24 * 60 * 60 * 1000);
  expect(await ask(place, place.path("a"))).toMatchObject({ reads: 1 });
});

test("a cache that cannot be written costs nothing but the memory", async () => {
  await using place = await workspace();
  await place.write({ a: "a", home: "a file in the place of the directory" });
  expect(await ask(place, place.path("a"))).toEqual({ digest: sha256("a"), reads: 1 });
});

test("a file that changes while it is read is an error that says so", async () => {
  await using place = await workspace();
  await place.write({ a: "x".repeat(600_000) });
  const path = place.path("a");
  await using file = await openFile(path);
  const reading = async () => {
    for await (const chunk of chunksOf(file, { path, stamp: await stampAt(path) })) {
      expect(chunk.length).toBeGreaterThan(0);
      await appendFile(path, "y");
    }
  };
  await expect(reading()).rejects.toThrow(ChangedWhileRead);
});

test("a file that was replaced since it was looked at is an error, and a link in its place is not followed", async () => {
  await using place = await workspace();
  await place.write({ a: "a", b: "b" });
  await mkdir(place.path("d"));
  const stamp = await stampAt(place.path("a"));
  await rename(place.path("b"), place.path("a"));
  await expect(digestOf(place.path("a"), stamp)).rejects.toThrow(/changed while it was read/);
  await rm(place.path("a"));
  await symlink("d", place.path("a"));
  await expect(digestOf(place.path("a"), stamp)).rejects.toThrow(ChangedWhileRead);
});
