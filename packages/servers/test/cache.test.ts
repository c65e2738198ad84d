import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cachePath, makeOnce } from "../src/cache.ts";
import { temporaryDirectory } from "./support.ts";

test("the name changes with each thing that it is made from", () => {
  const path = cachePath("/cache", "bases", ["a", "b"]);
  expect(path).toMatch(/^\/cache\/bases-[0-9a-f]{16}$/);
  expect(cachePath("/cache", "bases", ["a", "b"])).toBe(path);
  expect(cachePath("/cache", "bases", ["ab"])).not.toBe(path);
  expect(cachePath("/cache", "bases", ["b", "a"])).not.toBe(path);
});

test("a failed making leaves nothing", async () => {
  await using directory = await temporaryDirectory();
  const making = makeOnce(join(directory.path, "thing"), async (temporary) => {
    await mkdir(temporary);
    await writeFile(join(temporary, "half"), "");
    throw new Error("interrupted");
  });
  await expect(making).rejects.toThrow("interrupted");
  expect(await readdir(directory.path)).toEqual([]);
});

test("of several makers at once all get one whole thing", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "thing");
  const makers = ["a", "b", "c"].map((content) =>
    makeOnce(path, async (temporary) => {
      await mkdir(temporary);
      await writeFile(join(temporary, "1"), content);
      await writeFile(join(temporary, "2"), content);
    }),
  );
  expect(await Promise.all(makers)).toEqual([path, path, path]);
  expect(await readFile(join(path, "1"), "utf8")).toBe(await readFile(join(path, "2"), "utf8"));
  expect(await readdir(directory.path)).toEqual(["thing"]);
});

test("what is there is not made again", async () => {
  await using directory = await temporaryDirectory();
  await expect(makeOnce(directory.path, () => Promise.reject(new Error("made again")))).resolves.toBe(directory.path);
});
