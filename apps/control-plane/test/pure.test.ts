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
  const live = [
    { name: "A100", gpus: 1 },
    { name: "A100-80GB", gpus: 4 },
    { name: "T4", gpus: 2 },
  ];
  test("are the class of a GPU without its count, and cpu without one", () => {
    expect(poolsOf([step(), step("T4:2"), step("a100-80gb")], live, { mustRun: 1 })).toEqual(["", "cpu", "T4", "A100-80GB"]);
  });
  test("any stays in the pool before it where that has a GPU", () => {
    expect(poolsOf([step("T4"), step("any")], live, { mustRun: 1 })).toEqual(["", "T4", "T4"]);
    expect(poolsOf([step(), step("any")], live, { mustRun: 1 })).toEqual(["", "cpu", "A100"]);
  });
  test("have as many GPUs as are asked for, else the error names those that there are and the method", () => {
    const source = { file: "image.ts", line: 3, column: 1 };
    const pools = () => poolsOf([step(), step("A100:2")], live, { mustRun: 1, sources: [null, null, source] });
    expect(pools).toThrow(/GPU "A100:2".*cpu, A100 \(1 GPU a builder\), A100-80GB \(4 GPUs a builder\), T4/);
    expect(pools).toThrow(expect.objectContaining({ info: expect.objectContaining({ code: "POOL_UNAVAILABLE", source }) }));
  });
  test("need not be there for layers that are hits", () => {
    expect(poolsOf([step("T4"), step()], [], { mustRun: 2 })).toEqual(["", "T4", "cpu"]);
    expect(() => poolsOf([step("T4"), step()], [{ name: "A100", gpus: 1 }], { mustRun: 1 })).toThrow(/A100/);
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
