import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Json, canonicalDigest, canonicalJson } from "../src/index.ts";

const json = fc.jsonValue({ noUnicodeString: false }).map(asJson);

describe("canonical JSON", () => {
  test("means what it was made from", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("is the same whatever the order of keys", () => {
    fc.assert(fc.property(json, (value) => canonicalDigest(reversed(value)) === canonicalDigest(value)));
  });

  test("leaves undefined properties out", () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %s", (value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });

  test("refuses half a character, as a value and as a key", () => {
    expect(() => canonicalJson("\ud83d")).toThrow(TypeError);
    expect(() => canonicalJson({ "\ud83d": 1 })).toThrow(TypeError);
  });
});

function asJson(value: unknown): Json {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(asJson);
  return Object.fromEntries(Object.entries(value ?? {}).map(([key, member]) => [key, asJson(member)]));
}

/** The same value with the keys of all objects the other way round. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member ?? null)]),
  );
}
