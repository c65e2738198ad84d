import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCursor, encodeCursor } from "../src/builds/cursor.ts";
import { endOfSegment } from "../src/builds/segment.ts";
import { type FreshLayer, wholeChains } from "../src/images/chain.ts";
import { poolsOf } from "../src/images/pools.ts";

describe("a segment", () => {
  test.each([
    { rule: "is the longest run of one pool", pools: ["", "cpu", "cpu", "T4"], taken: 0, first: 1, last: 2 },
    { rule: "ends before a layer that another attempt makes", pools: ["", "cpu", "cpu", "cpu"], taken: 3, first: 1, last: 2 },
    { rule: "is one layer where the next has another pool", pools: ["", "T4", "cpu"], taken: 0, first: 1, last: 1 },
    { rule: "goes to the end", pools: ["", "cpu", "cpu", "cpu"], taken: 0, first: 2, last: 3 },
  ])("$rule", ({ pools, taken, first, last }) => {
    expect(endOfSegment(first, { pools, secretSources: [], isTaken: (index) => index === taken })).toBe(last);
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
    const roots = candidates.filter(({ index }) => index <= forcedFrom);
    expect(roots.every(({ record }) => records.has(record))).toBe(true);
  });
  fc.assert(property);
});

describe("pools", () => {
  const step = (gpu?: string) => ({ kind: "runCommands" as const, commands: ["x"], gpu });
  test("are the class of a GPU without its count, and cpu without one", () => {
    expect(poolsOf([step(), step("T4:2"), step("A100-80GB")], ["A100-80GB", "T4"], { mustRun: 1 })).toEqual(["", "cpu", "T4", "A100-80GB"]);
  });
  test("any stays in the pool before it where that has a GPU", () => {
    expect(poolsOf([step("T4"), step("any")], ["A100", "T4"], { mustRun: 1 })).toEqual(["", "T4", "T4"]);
    expect(poolsOf([step(), step("any")], ["A100", "T4"], { mustRun: 1 })).toEqual(["", "cpu", "A100"]);
  });
  test("need not be there for layers that are hits", () => {
    expect(poolsOf([step("T4"), step()], [], { mustRun: 2 })).toEqual(["", "T4", "cpu"]);
    expect(() => poolsOf([step("T4"), step()], ["A100"], { mustRun: 1 })).toThrow(/A100/);
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
