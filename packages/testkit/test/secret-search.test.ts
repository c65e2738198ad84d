import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { execa } from "execa";
import { expect, test } from "vitest";
import { searchFiles } from "../src/secret-search/files.ts";
import { createFinder } from "../src/secret-search/finder.ts";
import { watchProcesses } from "../src/index.ts";

const SECRET = 'a "value" with/slashes+and ünicode';

test.each([
  ["plain text", (text: string) => text],
  ["base64", (text: string) => Buffer.from(text).toString("base64")],
  ["base64", (text: string) => Buffer.from(text).toString("base64url")],
  ["hexadecimal", (text: string) => Buffer.from(text).toString("hex").toUpperCase()],
  ["part of a URL", encodeURIComponent],
  ["JSON", (text: string) => JSON.stringify(text)],
])("a value is found as %s, whatever stands around it", (form, encode) => {
  for (const before of ["", "x", "xy", "xyz"]) {
    const finder = createFinder({ SECRET });
    finder.look("here", Buffer.from(encode(`${before}${SECRET}end`)));
    expect(finder.finds).toContainEqual({ secret: "SECRET", form, place: "here" });
  }
});

test("a value is found when it comes in pieces, and by one of its lines", async () => {
  const finder = createFinder({ SECRET: "first of several\nsecond of several", OTHER: "is not there" });
  async function* pieces() {
    for (const piece of ["...sec", "ond of ", "several..."]) yield Buffer.from(piece);
  }
  await finder.lookThrough("here", pieces());
  expect(finder.finds).toEqual([{ secret: "SECRET", form: "plain text", place: "here" }]);
});

test("a value is found in files, in compressed ones, in names and in links", async () => {
  const directory = await mkdtemp(join(tmpdir(), "lamina-search-"));
  try {
    const content = Buffer.from(`${"x".repeat(2_000_000)}a-secret`);
    await writeFile(join(directory, "plain"), content);
    await writeFile(join(directory, "gzip"), gzipSync(content));
    await writeFile(join(directory, "zstd"), zstdCompressSync(content));
    await writeFile(join(directory, "cut short"), zstdCompressSync(content).subarray(0, 20));
    await writeFile(join(directory, "of a-secret"), "");
    await symlink("/to/a-secret", join(directory, "link"));
    const finder = createFinder({ SECRET: "a-secret" });
    await searchFiles(directory, finder);
    // In the compressed files it may stand as it is, too.
    const found = finder.finds.map(({ place }) => place.replace(`${directory}/`, ""));
    expect(found.filter((place) => place !== "zstd" && place !== "gzip").toSorted()).toEqual([
      "gzip, decompressed",
      "plain",
      "the link link",
      "the name of a-secret",
      "zstd, decompressed",
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("a value is seen in the arguments and in the environment of a process", async () => {
  const secrets = { ARGUMENT: `argument-of-${process.pid}`, VARIABLE: `variable-of-${process.pid}` };
  const watch = watchProcesses(secrets);
  const child = execa("sh", ["-c", "read line", secrets.ARGUMENT], { env: { VARIABLE: secrets.VARIABLE }, stdin: "pipe" });
  const sightings = () =>
    watch
      .seen()
      .map(({ secret, place }) => `${secret} ${place}`)
      .toSorted();
  await expect.poll(sightings).toEqual(["ARGUMENT arguments", "VARIABLE environment"]);
  child.stdin.end("\n");
  await child;
  await watch.stop();
});
