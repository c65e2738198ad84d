import { expect, test } from "vitest";
import { judge, median, quantile } from "../bench/measure.ts";
import { tableOf, withBenchmarks } from "../bench/table.ts";

const counts = Array.from({ length: 200 }, (_, index) => 200 - index);

test.each([
  { part: 0.5, expected: 100 },
  { part: 0.99, expected: 198 },
  { part: 1, expected: 200 },
])("the value of place $part is found in any order", ({ part, expected }) => {
  expect(quantile(counts, part)).toBe(expected);
});

test("a goal of a ratio is judged by the medians", () => {
  const measured = { ours: [100, 900, 120], peer: [100, 100, 5] };
  expect(judge(measured, { kind: "ratio", atMost: 1.2 })).toEqual({ ours: 120, peer: 100, value: 1.2, met: true });
  expect(judge(measured, { kind: "ratio", atMost: 1.1 }).met).toBe(false);
});

test("a goal of a difference is judged by the medians", () => {
  expect(judge({ ours: [31], peer: [2] }, { kind: "difference", atMostMs: 30 })).toMatchObject({ value: 29, met: true });
});

test("a result that misses its goal says so in the table, whose columns are even", () => {
  const compared = { what: "a case", ours: "one", peer: "another", goal: { kind: "ratio", atMost: 1 } } as const;
  const table = tableOf([{ compared, verdict: { ours: 2_500, peer: 250, value: 10, met: false } }]);
  expect(table.split("\n")).toEqual([
    "| case   | Lamina      | beside it       | measured | goal          |",
    "| ------ | ----------- | --------------- | -------- | ------------- |",
    "| a case | one: 2.50 s | another: 250 ms | 10.00 ×  | ≤ 1 ×, missed |",
  ]);
});

test("the table takes the place of the one before it, and nothing else changes", () => {
  const readme = "before\n<!-- bench: written by `npm run bench` -->\n<!-- bench: end -->\nafter";
  const once = withBenchmarks(readme, "first");
  expect(withBenchmarks(once, "second")).toBe(once.replace("first", "second"));
  expect(once).toMatch(/^before\n[^]*first[^]*\nafter$/);
  expect(() => withBenchmarks("nothing", "x")).toThrow(/has no place/);
});

test("one value is its own median", () => {
  expect(median([3])).toBe(3);
});
