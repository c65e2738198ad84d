import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { copyPath, delimiterFor, dockerWord, shellArgument, shellWord } from "../src/lower/quoting.ts";
import { text } from "./arbitraries.ts";
import { hardValues } from "./golden/hard-values.ts";

/** Words as dash reads them. */
function readByShell(words: readonly string[]): string[] {
  const output = execFileSync("/bin/sh", ["-c", `printf '%s\\0' ${words.join(" ")}`]).toString();
  return output.split("\0").slice(0, -1);
}

describe("a shell reads back", () => {
  const values = [...Object.values(hardValues), "a\nb\n", ...fc.sample(text, 500)];

  test.each([
    { what: "words", quote: shellWord },
    { what: "arguments", quote: shellArgument },
  ])("$what", ({ quote }) => {
    expect(readByShell(values.map(quote))).toEqual(values);
  });

  test("a word of several lines of a Dockerfile", () => {
    const value = `${"é'".repeat(60_000)}\n${"x".repeat(70_000)}`;
    expect(shellWord(value).split("\n").every(fitsDockerfile)).toBe(true);
    expect(execFileSync("/bin/sh", { input: `printf %s ${shellWord(value)}`, maxBuffer: 1e7 }).toString()).toBe(value);
  });
});

describe("an argument is quoted only where a shell would see more in it", () => {
  test.each(["requests", "pandas==2.0.0", "-r", "--index-url=https://index.example/simple/", "a,b"])("%s is not", (value) => {
    expect(shellArgument(value)).toBe(value);
  });
  test.each(["numpy>=1.26", "; rm -rf /", "~/x", "a b", "", "*", "pkg[extra]", "#", "!x", "{a,b}", "é"])("%s is", (value) => {
    expect(shellArgument(value)).toBe(`'${value}'`);
  });
});

describe("words of a Dockerfile", () => {
  test("keep a newline out of the line", () => {
    fc.assert(fc.property(text, (value) => !dockerWord(value).includes("\n")));
    expect(dockerWord('a\n"$b\\')).toBe('"a${LAMINA_NL:?must be a newline}\\"\\$b\\\\"');
  });

  test("are spread over lines that BuildKit takes, each in quotes of its own", () => {
    const lines = dockerWord(`${'#\\"$ é'.repeat(40_000)}\n`).split("\n");
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.every((line) => fitsDockerfile(line) && /^".*"\\?$/s.test(line))).toBe(true);
  });

  test("of COPY are JSON strings of words", () => {
    expect(copyPath(`/it's $HOME "x" \\`)).toBe(JSON.stringify(`/it\\'s \\$HOME \\"x\\" \\\\`));
  });
});

test("a delimiter is no line of the text", () => {
  expect(delimiterFor("x\nLAMINA\n\tLAMINA_2 \n", "LAMINA")).toBe("LAMINA_3");
  expect(delimiterFor("LAMINA and more", "LAMINA")).toBe("LAMINA");
});

function fitsDockerfile(line: string): boolean {
  return Buffer.byteLength(line) < 65_535;
}
