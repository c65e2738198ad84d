import { readFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const harness = path.resolve(import.meta.dirname, "../harness");
const Vectors = z.array(z.object({ name: z.string(), text: z.string(), means: z.unknown() }));
const Codec = z.object({
  readJson: z.custom<(text: string) => unknown>(isFunction),
  writeJson: z.custom<(value: unknown) => string>(isFunction),
});
const vectorsFile = path.resolve(import.meta.dirname, "../../../packages/api/vectors/values.json");
const vectors = Vectors.parse(JSON.parse(await readFile(vectorsFile, "utf8")));

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

describe("values in JSON", () => {
  test("mean in the harness of Python what the examples say, and are written as they were", async () => {
    const again = await throughPython(vectors.map(({ text }) => text));
    expect(again.map(({ means }) => means)).toEqual(vectors.map(({ means }) => means));
    // A moment may be said in several ways.
    const written = (text: string, means: unknown) => (JSON.stringify(means).startsWith('{"date"') ? means : text);
    expect(again.map((told) => written(told.again, told.means))).toEqual(vectors.map(({ text, means }) => written(text, means)));
  });

  test("mean in the harness of TypeScript what the examples say, and are written as they were", async () => {
    const { readJson, writeJson } = Codec.parse(await import(path.join(harness, "node.mjs")));
    for (const { name, text, means } of vectors) {
      const value = readJson(text);
      expect([name, meaning(value)]).toEqual([name, means]);
      // A moment may be said in several ways.
      const again = value instanceof Date ? text : writeJson(value);
      expect([name, again]).toEqual([name, text]);
    }
  });

  test("from one language are read in the other", async () => {
    const { readJson, writeJson } = Codec.parse(await import(path.join(harness, "node.mjs")));
    const fromPython = await throughPython(vectors.map(({ text }) => text));
    expect(fromPython.map(({ again }) => meaning(readJson(again)))).toEqual(vectors.map(({ means }) => means));
    const fromTypeScript = await throughPython(vectors.map(({ text }) => writeJson(readJson(text))));
    expect(fromTypeScript.map(({ means }) => means)).toEqual(vectors.map(({ means }) => means));
  });

  test.each([
    [{ a: [1, () => 1] }, "the result.a[1] is a function, which JSON has no notation for"],
    [{ "a b": new Set() }, 'the result["a b"] is of the type Set, which JSON has no notation for'],
    [[new Date(Number.NaN)], "the result[0] is an invalid Date"],
    [Symbol.iterator, "the result is a symbol, which JSON has no notation for"],
  ])("that have no notation are named by their place", async (value, message) => {
    const { writeJson } = Codec.parse(await import(path.join(harness, "node.mjs")));
    expect(() => writeJson(value)).toThrow(message);
  });

  test("that hold themselves are said to", async () => {
    const { writeJson } = Codec.parse(await import(path.join(harness, "node.mjs")));
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => writeJson(loop)).toThrow("the result holds itself, or is nested too deeply");
  });
});

async function throughPython(texts: readonly string[]) {
  const program = path.join(import.meta.dirname, "support/meanings.py");
  const { stdout } = await execa("python3", ["-B", program, path.join(harness, "python.py")], { input: JSON.stringify(texts) });
  return z.array(z.object({ means: z.unknown(), again: z.string() })).parse(JSON.parse(stdout));
}

function meaning(value: unknown): unknown {
  if (value === null) return { null: true };
  if (typeof value === "boolean") return { bool: value };
  if (typeof value === "bigint") return { bigint: String(value) };
  if (typeof value === "number")
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? { int: String(value) } : { float: textOf(value) };
  if (typeof value === "string") return { string: value };
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (value instanceof Date) return { date: value.getTime() };
  if (Array.isArray(value)) return { list: value.map(meaning) };
  if (typeof value === "object") return { object: Object.entries(value).map(([key, item]) => [key, meaning(item)]) };
  throw new TypeError(`no meaning for a ${typeof value}`);
}

function textOf(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
