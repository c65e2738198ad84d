import { expect, test } from "vitest";
import { inputOf } from "../src/functions/input.ts";

test("arguments come in order or by names, as JSON or as text, and a single list has all", () => {
  expect(inputOf(["1", "Ada", "--max-words", "7", "--loud", "--tags=[1]"])).toEqual({
    args: [1, "Ada"],
    kwargs: { max_words: 7, loud: true, tags: [1] },
  });
  expect(inputOf(["[1, 2]"])).toEqual({ args: [1, 2], kwargs: {} });
});

test.each([
  ["9007199254740991", 9_007_199_254_740_991],
  ["9007199254740993", 9_007_199_254_740_993n],
  ["-9007199254740993", -9_007_199_254_740_993n],
  ['{"id": 12345678901234567890, "at": 1}', { id: 12_345_678_901_234_567_890n, at: 1 }],
  ['["9007199254740993", "\\"9007199254740993", 0.1, -0, 1e3]', ["9007199254740993", '"9007199254740993', 0.1, -0, 1_000]],
  ["0.9007199254740993123", 0.9007199254740993],
  ["9007199254740993 apples", "9007199254740993 apples"],
])("a number of any size arrives as it was given: %s", (text, value) => {
  expect(inputOf(["first", text]).args[1]).toEqual(value);
});
