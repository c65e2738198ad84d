/** The SDK for Python as a package: its style and types, and what of it is released. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readTestConfig } from "@lamina/testkit";
import { expect, test } from "vitest";
import { z } from "zod";
import { python } from "./support/python.ts";

const MINUTES = 60_000;
const PACKAGE = path.resolve(import.meta.dirname, "..");

/** The version in a package.json. */
async function versionOf(directory: string): Promise<string> {
  return z.object({ version: z.string() }).parse(JSON.parse(await readFile(path.join(directory, "package.json"), "utf8"))).version;
}

test("its code has the form and style of all", async () => {
  for (const check of [["check"], ["format", "--check"]]) {
    const ran = await python(["-m", "ruff", ...check, "--no-cache", "."]);
    expect(ran).toMatchObject({ exitCode: 0 });
  }
});

test("its types hold", { timeout: 5 * MINUTES }, async () => {
  const ran = await python(["-m", "mypy", "--cache-dir", path.join(readTestConfig().cache, "mypy")]);
  expect(ran).toMatchObject({ exitCode: 0 });
});

test("an older Python is told which it needs", async () => {
  const ran = await python(["-c", "import sys; sys.version_info = (3, 9, 0); import lamina"]);
  expect(ran).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining("ImportError: The package lamina is for Python 3.10 and newer, and this is 3.9."),
  });
});

test("its wheel has the types with it, and the version that all packages have", { timeout: MINUTES }, async () => {
  const place = await mkdtemp(path.join(tmpdir(), "lamina-wheel-"));
  try {
    const ran = await python(["-m", "hatchling", "build", "--target", "wheel", "--directory", place]);
    expect(ran).toMatchObject({ exitCode: 0 });
    const [wheel = ""] = await readdir(place);
    const { output } = await python(["-m", "zipfile", "--list", path.join(place, wheel)]);
    const names = output.split("\n").map((line) => line.split(" ")[0]);
    expect(names).toEqual(expect.arrayContaining(["lamina/__init__.py", "lamina/py.typed", "lamina/_local/walk.py"]));
    expect(names.filter((name) => !/^(lamina\/|lamina-[\d.]+\.dist-info\/|File$)/.test(name ?? ""))).toEqual([]);
    const said = await python(["-c", "import lamina; print(lamina.__version__)"]);
    const versions = [said.output, await versionOf(PACKAGE), await versionOf(path.join(PACKAGE, "../sdk"))];
    expect(versions).toEqual(versions.map(() => /^lamina-(.+)-py3-none-any\.whl$/.exec(wheel)?.[1]));
  } finally {
    await rm(place, { recursive: true, force: true });
  }
});
