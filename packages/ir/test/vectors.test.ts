import { readFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { vectorFiles, vectorsDirectory } from "../scripts/vectors.ts";

describe("the vectors hold", () => {
  test.each([...vectorFiles()].map(([path, content]) => ({ path, content })))("$path", async ({ path, content }) => {
    expect(content).toBe(await readFile(new URL(path, vectorsDirectory), "utf8"));
  });

  test("in Python too", () => {
    const script = fileURLToPath(new URL("golden/vectors.py", import.meta.url));
    expect(execFileSync("python3", [script, fileURLToPath(vectorsDirectory)]).toString()).toBe("");
  });

  test("no file is left that no case makes", () => {
    const kept = globSync("**/*.{json,Dockerfile}", { cwd: vectorsDirectory });
    expect(kept.sort()).toEqual([...vectorFiles().keys()].sort());
  });
});
