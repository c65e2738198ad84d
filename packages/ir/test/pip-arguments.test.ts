import { describe, expect, test } from "vitest";
import { divideArguments, pipArguments, uvUnderstands } from "../src/lower/pip-arguments.ts";
import { uvPipInstall } from "../src/lower/uv.ts";

describe("what holds a secret goes to a requirements file, and nothing else does", () => {
  const url = "https://token:${TOKEN}@index.example/simple/";

  test.each([
    { args: ["requests", "-U"], words: ["requests", "-U"], lines: [] },
    { args: ["--extra-index-url", url, "private"], words: ["private"], lines: [`--extra-index-url ${url}`] },
    { args: [`--extra-index-url=${url}`, "private"], words: ["private"], lines: [`--extra-index-url ${url}`] },
    { args: ["-i", url, "-r", "requirements.txt"], words: ["-r", "requirements.txt"], lines: [`--index-url ${url}`] },
    { args: [`-i${url}`], words: [], lines: [`--index-url ${url}`] },
    { args: ["-U", `git+${url}`], words: ["-U"], lines: [`git+${url}`] },
    { args: ["-e", `git+${url}`], words: [], lines: [`--editable git+${url}`] },
    { args: ["--no-deps", "a", `b @ ${url}`], words: ["--no-deps", "a"], lines: [`b @ ${url}`] },
    { args: ["$TOKEN", "${}", "${1}"], words: ["$TOKEN", "${}", "${1}"], lines: [] },
  ])("$args", ({ args, words, lines }) => {
    expect(divideArguments(args)).toEqual({ words, lines, misplaced: [] });
  });

  test.each([[["--proxy", url]], [[`--proxy=${url}`]], [["--target", "${DIR}"]], [["a\n${TOKEN}"]]])("%s fits neither", (args) => {
    expect(divideArguments(args).misplaced).toHaveLength(1);
  });
});

describe("uv installs", () => {
  test.each([
    [["requests"]],
    [["-U", "-r", "x.txt"]],
    [["--no-binary", ":all:"]],
    [["--target=/x"]],
    [["--keyring-provider", "subprocess"]],
    [["-qv"]],
  ])("%s", (args) => {
    expect(uvUnderstands(args)).toBe(true);
  });
  test.each([
    [["--user", "x"]],
    [["--platform=any"]],
    [["-I"]],
    [["-UI"]],
    [["--keyring-provider", "auto"]],
    [["--use-feature", "x"]],
    [["--prefer-binary"]],
  ])("not %s", (args) => {
    expect(uvUnderstands(args)).toBe(false);
  });
});

test("what uv is given by the platform too is given once, as the author has it", () => {
  expect(uvPipInstall(["six"])).toBe("uv pip install --system --break-system-packages --index-strategy unsafe-best-match");
  expect(uvPipInstall(["--break-system-packages", "--index-strategy=first-index"])).toBe("uv pip install --system");
});

test("named options are flags in front of the arguments", () => {
  const step = { arguments: ["x"], indexUrl: "https://a", extraIndexUrl: "https://b", findLinks: "/c", pre: true } as const;
  const expected = ["--index-url", "https://a", "--extra-index-url", "https://b", "--find-links", "/c", "--pre", "x"];
  expect(pipArguments({ ...step, arguments: [...step.arguments] })).toEqual(expected);
});
