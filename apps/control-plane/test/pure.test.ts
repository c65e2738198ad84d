import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCursor, encodeCursor } from "../src/builds/cursor.ts";
import { endOfSegment } from "../src/builds/segment.ts";
import { type FreshLayer, wholeChains } from "../src/images/chain.ts";
import { poolsOf } from "../src/images/pools.ts";

describe("a segment", () => {
  const none = { secretSources: [], isTaken: () => false };
  test.each([
    ["is the longest run of one pool", ["", "cpu", "cpu", "T4"], [], 1, 2],
    ["ends before a layer that another attempt makes", ["", "cpu", "cpu", "cpu"], [3], 1, 2],
    ["is one layer where the next has another pool", ["", "T4", "cpu"], [], 1, 1],
    ["goes to the end", ["", "cpu", "cpu", "cpu"], [], 2, 3],
  ])("%s", (_, pools, taken, first, last) => {
    expect(endOfSegment(first, { ...none, pools, isTaken: (index) => taken.includes(index) })).toBe(last);
  });
});

test("a forced layer counts only on top of forced ones", () => {
  const layer = fc.record({ index: fc.integer({ min: 1, max: 5 }), parent: fc.option(fc.integer({ min: 0, max: 9 })) });
  const property = fc.property(fc.array(layer, { maxLength: 10 }), fc.integer({ min: 1, max: 4 }), (layers, forcedFrom) => {
    const candidates: FreshLayer[] = layers.map(({ index, parent }, number) => ({
      index,
      record: `r${number}`,
      parentRecord: parent !== null && layers[parent]?.index === index - 1 ? `r${parent}` : null,
      attempt: "a",
      active: true,
      digest: null,
    }));
    const whole = wholeChains(candidates, forcedFrom);
    const records = new Set(whole.map(({ record }) => record));
    for (const { index, parentRecord } of whole) expect(index <= forcedFrom || records.has(parentRecord ?? "")).toBe(true);
    for (const candidate of candidates) {
      if (candidate.index <= forcedFrom) expect(records.has(candidate.record)).toBe(true);
    }
  });
  fc.assert(property);
});

describe("pools", () => {
  const step = (gpu?: string) => ({ kind: "runCommands" as const, commands: ["x"], gpu });
  test("are the class of a GPU without its count, and cpu without one", () => {
    expect(poolsOf([step(), step("T4:2"), step("A100-80GB")], ["A100-80GB", "T4"], 1)).toEqual(["", "cpu", "T4", "A100-80GB"]);
  });
  test("any stays in the pool before it where that has a GPU", () => {
    expect(poolsOf([step("T4"), step("any")], ["A100", "T4"], 1)).toEqual(["", "T4", "T4"]);
    expect(poolsOf([step(), step("any")], ["A100", "T4"], 1)).toEqual(["", "cpu", "A100"]);
  });
  test("need not be there for layers that are hits", () => {
    expect(poolsOf([step("T4"), step()], [], 2)).toEqual(["", "T4", "cpu"]);
    expect(() => poolsOf([step("T4"), step()], ["A100"], 1)).toThrow(/A100/);
  });
});

test("a cursor is read back as it was written", () => {
  const positions = fc.record({ own: fc.nat(), attempts: fc.dictionary(fc.uuid(), fc.nat()) });
  fc.assert(
    fc.property(positions, (value) => {
      expect(decodeCursor(encodeCursor(value))).toEqual({ ...value, attempts: { ...value.attempts } });
    }),
  );
});
