import { base } from "@lamina/testkit";
import { parseReference } from "@lamina/registry";
import type { ServedFunction } from "@lamina/api";
import type { Digest } from "@lamina/ir";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storeCode } from "./support/code.ts";
import { startRunner, type World, world } from "./support/world.ts";

const CODE = {
  "main.py": `
import asyncio, os, sys, time
print("imported")

def add(a, b):
    print("adding", a, b)
    print("to stderr", file=sys.stderr)
    return a + b

async def later(a):
    await asyncio.sleep(0)
    return [a, {"nested": a}]
`,
};

let here: World;
let image: ServedFunction["image"];
let code: Awaited<ReturnType<typeof storeCode>>;
let runner: AsyncDisposable;
beforeAll(async () => {
  const { repository, digest = "" } = parseReference(await base("3.13"));
  image = { repository, digest: isDigest(digest) };
  here = await world();
  code = await storeCode(CODE);
  runner = startRunner(here);
});
afterAll(async () => {
  await runner[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
});

const isDigest = (text: string): Digest => `sha256:${text.replace("sha256:", "")}`;
const python = (name: string, more: Partial<ServedFunction> = {}) =>
  here.serve({ image, ...code, entry: { language: "python", module: "main", name }, name, ...more });
const done = (value: unknown) => ({ state: "done", result: { data: JSON.stringify(value) } });

describe("a Python function", () => {
  test("gives its result, and its lines are there before", async () => {
    const add = python("add");
    const { id, end } = await here.call(add, [1, 2]);
    expect(await end).toMatchObject(done(3));
    const batches = await here.lines(add, id);
    expect(batches.map(({ stream, lines }) => [stream, lines])).toEqual(
      expect.arrayContaining([
        ["stdout", ["adding 1 2"]],
        ["stderr", ["to stderr"]],
      ]),
    );
  });

  test("that is asynchronous gives its result", async () => {
    const { end } = await here.call(python("later"), ["x"]);
    expect(await end).toMatchObject(done(["x", { nested: "x" }]));
  });
});
