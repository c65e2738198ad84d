/** The tables of flags, held against the uv of the builder version and the pip of this machine. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uv } from "@lamina/testkit";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { DEFAULT_BUILDER_VERSION, builderVersion } from "../src/index.ts";
import { uvUnderstands } from "../src/lower/pip-arguments.ts";
import { isIdle, PIP_FLAGS, UV_FLAGS } from "../src/lower/pip-flags.ts";

// Some flags name directories, which uv makes.
const elsewhere = mkdtempSync(join(tmpdir(), "lamina-uv-"));
afterAll(() => rmSync(elsewhere, { recursive: true }));

/** What uv says of arguments; it finds nothing to install into. */
async function saidByUv(...args: string[]): Promise<string> {
  const binary = await uv(builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "");
  const { stderr } = await execa(binary, ["pip", "install", "--offline", ...args], {
    cwd: elsewhere,
    env: { UV_PYTHON: "/nowhere", UV_NO_CONFIG: "1" },
    reject: false,
  });
  return stderr;
}

const pipFlags = [...PIP_FLAGS.switches, ...PIP_FLAGS.options];

test.each([...UV_FLAGS.switches])("uv has %s, without a value", async (flag) => {
  expect(await saidByUv(flag)).not.toMatch(/unexpected argument|unsupported|a value is required/);
});

const longSwitches = [...UV_FLAGS.switches].filter((flag) => flag.startsWith("--"));
test.each(longSwitches)("uv takes no value for %s", async (flag) => {
  expect(await saidByUv(`${flag}=x`)).toMatch(/unexpected value 'x'|cannot be used multiple times/);
});

test.each([...UV_FLAGS.options])("uv has %s, with a value", async (flag) => {
  const said = await saidByUv("x", flag);
  expect(said).toMatch(/a value is required/);
});

test.each(pipFlags)("uv takes %s, or pip does", async (flag) => {
  const said = await saidByUv(flag, "x", "x");
  expect(uvUnderstands([flag, "x", "x"])).toBe(!/unexpected argument|unsupported/.test(said));
});

test.each([
  ["--dry-run", UV_FLAGS, true],
  ["--check", UV_FLAGS, true],
  ["-qh", UV_FLAGS, true],
  ["-r", UV_FLAGS, false],
  ["-rh", UV_FLAGS, false],
  ["--dry", PIP_FLAGS, true],
  ["--dry", UV_FLAGS, false],
  ["--check", PIP_FLAGS, false],
  ["-IV", PIP_FLAGS, true],
] as const)("%s is known for whether anything is installed", (flag, flags, expected) => {
  expect(isIdle(flag, flags)).toBe(expected);
});

test("no flag that uv or pip shows is missing", async () => {
  const binary = await uv(builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "");
  const ofUv = flagsIn((await execa(binary, ["pip", "install", "--help"])).stdout);
  // uv names these to say that it does not have them.
  const refused = ["--user", "--upgrade-group"];
  expect(ofUv.filter((flag) => !UV_FLAGS.switches.has(flag) && !UV_FLAGS.options.has(flag)).toSorted()).toEqual(refused.toSorted());
  const ofPip = flagsIn((await execa("python3", ["-m", "pip", "install", "--help"])).stdout);
  expect(ofPip.filter((flag) => !pipFlags.includes(flag))).toEqual([]);
});

/** The flags that stand at the beginning of a line of help. */
function flagsIn(help: string): string[] {
  return help
    .split("\n")
    .filter((line) => /^ {2,6}-/.test(line))
    .flatMap(
      (line) =>
        line
          .trim()
          .split(/ {2}/, 1)[0]
          ?.match(/(?<=^|[ ,])--?[A-Za-z][\w-]*/g) ?? [],
    );
}
