import { createHash, randomBytes } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { buffer } from "node:stream/consumers";
import { createZstdDecompress } from "node:zlib";
import type { Digest } from "@lamina/ir";
import * as fc from "fast-check";
import { extract } from "tar-stream";
import { expect, test } from "vitest";
import { z } from "zod";
import { ChangedWhileRead } from "../src/local/digest.ts";
import { groupFiles, type Pack, packOf, type PackedFile } from "../src/upload/pack.ts";
import { snapshotOfCopy, type Workspace, workspace } from "./support/workspace.ts";

const MIB = 1024 * 1024;

/** What a server finds in a pack: the digest of each file, by its name. */
async function unpack({ body }: Pack): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const tar = extract();
  const reading = (async () => {
    for await (const entry of tar) {
      const hash = createHash("sha256");
      for await (const chunk of entry) hash.update(z.instanceof(Buffer).parse(chunk));
      found.set(entry.header.name, hash.digest("hex"));
    }
  })();
  await Promise.all([pipeline(body, createZstdDecompress(), tar), reading]);
  return found;
}

async function filesOf(place: Workspace): Promise<PackedFile[]> {
  const { tree } = await snapshotOfCopy((image) => image.copyLocalDir(place.directory, "/x"));
  return [...tree.files].map(([digest, file]) => ({ digest, ...file }));
}

test("a pack holds each file under its digest, and every byte read is told", async () => {
  await using place = await workspace();
  await place.write({ a: "a", empty: "", "big/b": Buffer.alloc(3 * MIB, "b"), "same/a": "a" });
  const files = await filesOf(place);
  let read = 0;
  const found = await unpack(packOf(files, (bytes) => (read += bytes)));
  expect([...found].map(([name]) => `sha256:${name}`).sort()).toEqual(files.map(({ digest }) => digest).sort());
  for (const [name, digest] of found) expect(digest).toBe(name);
  expect(read).toBe(1 + 3 * MIB);
});

test("a file that changed since it was looked at fails the pack, and says which", async () => {
  await using place = await workspace();
  await place.write({ a: "a" });
  const files = await filesOf(place);
  await place.write({ a: "other" });
  const { body, readFailure } = packOf(files, () => {});
  await expect(buffer(body)).rejects.toThrow(ChangedWhileRead);
  expect(readFailure()).toBeInstanceOf(ChangedWhileRead);
});

test("files are read no faster than the pack is taken, so memory stays flat", async () => {
  await using place = await workspace();
  await place.write({ big: randomBytes(24 * MIB) });
  let read = 0;
  const { body } = packOf(await filesOf(place), (bytes) => (read += bytes));
  let taken = 0;
  for await (const chunk of body) {
    taken += z.instanceof(Buffer).parse(chunk).length;
    // Random bytes do not compress, so the difference is what is held in memory.
    expect(read - taken).toBeLessThan(4 * MIB);
  }
  expect(read).toBe(24 * MIB);
});

test("every file is in one pack; a big one is alone, and others fill a pack up to its size", () => {
  const size = fc.oneof(fc.nat(1000), fc.integer({ min: 1, max: 80 * MIB }));
  fc.assert(
    fc.property(fc.array(size), (sizes) => {
      const files = sizes.map((bytes, index) => ({ size: bytes, digest: `${index}` satisfies Digest }));
      const groups = groupFiles(files);
      expect(groups.flat().sort((a, b) => Number(a.digest) - Number(b.digest))).toEqual(files);
      for (const group of groups) {
        const total = group.reduce((sum, file) => sum + file.size, 0);
        expect(group.length === 1 || total <= 32 * MIB).toBe(true);
        expect(group.length).toBeGreaterThan(0);
      }
    }),
  );
});
