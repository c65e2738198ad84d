/** The SDK for Python as a package: its style and types, and what of it is released. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readTestConfig } from "@lamina/testkit";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import sdkManifest from "../../sdk/package.json" with { type: "json" };
import { python } from "./support/python.ts";

const MINUTES = 60_000;

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

test("its wheel has the types with it, and the version that all packages have", { timeout: MINUTES }, async () => {
  const place = await mkdtemp(path.join(tmpdir(), "lamina-wheel-"));
  try {
    const ran = await python(["-m", "hatchling", "build", "--target", "wheel", "--directory", place]);
    expect(ran).toMatchObject({ exitCode: 0 });
    const [wheel = ""] = await readdir(place);
    expect(wheel).toBe(`lamina-${manifest.version}-py3-none-any.whl`);
    const listed = await python(["-m", "zipfile", "--list", path.join(place, wheel)]);
    expect(listed.output).toMatch(/lamina\/py\.typed[^]*lamina\/_local\/walk\.py[^]*lamina\/image\.py/);
    expect(listed.output).not.toContain("test");
    const version = await python(["-c", "import lamina; print(lamina.__version__)"]);
    expect(version.output).toBe(manifest.version);
    expect(manifest.version).toBe(sdkManifest.version);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
});
