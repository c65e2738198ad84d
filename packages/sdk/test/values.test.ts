import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { decodeValue, encodeValue } from "../src/values/codec.ts";

test("what JSON has no notation for comes back as it was", () => {
  const value = {
    bytes: new Uint8Array([0, 255, 16]),
    none: new Uint8Array(),
    date: new Date(1_772_368_200_250),
    large: 2n ** 100n,
    numbers: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0.1],
    own: { $lamina: "bytes", value: "not bytes" },
    text: 'grüße "🌱"\n',
  };
  expect(decodeValue(encodeValue(value))).toEqual(value);
  expect(decodeValue(encodeValue(JSON.parse('{"__proto__":{"a":1}}')))).toEqual(JSON.parse('{"__proto__":{"a":1}}'));
});

test("any JSON comes back as it was", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(decodeValue(encodeValue(value))).toEqual(value);
    }),
  );
});

test("fields without a value are left out, and other places of none are null", () => {
  expect(encodeValue({ a: undefined, b: [undefined, 1] })).toBe('{"b":[null,1]}');
  expect(encodeValue(undefined)).toBe("null");
});

class Point {
  x = 1;
}
const cycle: { list: unknown[] } = { list: [] };
cycle.list.push(cycle);
test.each([
  [{ a: [() => 1] }, "the value.a[0] is a function, which cannot be sent; send what it gives, or a name for it"],
  [{ "a b": Symbol("s") }, 'the value["a b"] is a symbol, which cannot be sent; send a string'],
  [cycle, "the value.list[0] is something that it is itself a part of; send it without the cycle"],
  [new Map(), "the value is a Map, which cannot be sent; send Object.fromEntries(map), or [...map]"],
  [[new Float32Array(1)], "the value[0] is a Float32Array, which cannot be sent; send its bytes as a Uint8Array, or its numbers as a list"],
  [new Point(), "the value is a Point, which cannot be sent; send a plain object of its fields, such as { ...value }"],
  [new Date(Number.NaN), "the value is a date that there is not; send null for it"],
])("%o cannot be sent: the place is told, and what to do", (value, message) => {
  expect(() => encodeValue(value)).toThrow(message);
});

test("the same thing twice is no cycle", () => {
  const shared = { a: 1 };
  expect(decodeValue(encodeValue([shared, shared]))).toEqual([shared, shared]);
});

test.each(['{"$lamina":"later","value":1}', '{"$lamina":"bytes","value":"?"}', '{"$lamina":"date","value":"soon"}', "{"])(
  "%s is refused",
  (text) => {
    expect(() => decodeValue(text)).toThrow("the value");
  },
);

const Means = z.record(z.string(), z.unknown());
const Vectors = z.array(z.object({ name: z.string(), text: z.string(), means: Means }));
const file = join(import.meta.dirname, "../../api/vectors/values.json");

/** What a golden vector says that a text means. */
function meant(means: unknown): unknown {
  const [[kind, content] = ["", null]] = Object.entries(Means.parse(means));
  const list = z.array(z.unknown());
  switch (kind) {
    case "int":
    case "float":
      return Number(content);
    case "bigint":
      return BigInt(z.string().parse(content));
    case "bytes":
      return Uint8Array.from(z.array(z.number()).parse(content));
    case "date":
      return new Date(z.number().parse(content));
    case "list":
      return list.parse(content).map(meant);
    case "object":
      return Object.fromEntries(
        z
          .array(z.tuple([z.string(), z.unknown()]))
          .parse(content)
          .map(([name, value]) => [name, meant(value)]),
      );
    case "null":
      return null;
    default:
      return content;
  }
}

describe.runIf(existsSync(file))("the examples that all languages share", () => {
  const vectors = existsSync(file) ? Vectors.parse(JSON.parse(readFileSync(file, "utf8"))) : [];
  test.each(vectors)("$name", ({ text, means }) => {
    expect(decodeValue(text)).toEqual(meant(means));
    expect(decodeValue(encodeValue(meant(means)))).toEqual(meant(means));
  });
});
