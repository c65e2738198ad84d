/** The table of bad inputs in the README, held against the closed lists and against the tests that it names. */
import { ErrorCode, REASONS } from "@lamina/api";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const REPOSITORY = join(import.meta.dirname, "../../..");
const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
const [section = ""] = readme.split("\n## ").filter((part) => part.startsWith("Bad input"));
const rows = section
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .slice(2)
  .map((line) => line.split(" | ").map((cell) => cell.replaceAll(/^\| +| +\|$/g, "").trim()));
const NOTHING = "–";

test("has each reason once, with what the list says of it", () => {
  const documented = rows.flatMap(([input = "", , reason = ""]) => (reason === NOTHING ? [] : [[reason.replaceAll("`", ""), input]]));
  expect(documented).toHaveLength(Object.keys(REASONS).length);
  expect(Object.fromEntries(documented)).toEqual(REASONS);
});

describe("names a test that there is, and codes of the list", () => {
  test.each(rows)("%s (%s, %s): %s", (...[, codes = "", , proof = ""]) => {
    const [, file = "", title = ""] = /^`([^`]+)`: (.+)$/.exec(proof) ?? [];
    expect(readFileSync(join(REPOSITORY, file), "utf8")).toContain(title.replaceAll("\\_", "_"));
    for (const code of codes === NOTHING ? [] : codes.split(", ")) expect(ErrorCode.options).toContain(code.replaceAll("`", ""));
  });
});
