/** Functions that run while an image is built, and how they fail. */
import { expect, test } from "vitest";
import type { ResolvedStep } from "../../src/index.ts";
import { pythonBase } from "./bases.ts";
import { build, expectBuilt, expectFailed } from "./build.ts";

type RunFunction = Extract<ResolvedStep, { kind: "runFunction" }>;
const javascript = (source: string): RunFunction => ({ kind: "runFunction", language: "javascript", name: "make", source });
const python = (source: string): RunFunction => ({ kind: "runFunction", language: "python", name: "make", source });

async function run(step: RunFunction) {
  return build({ from: await pythonBase(), steps: [step] });
}

test("a function that awaits what never comes fails the step, and says so", async () => {
  const { failed, lines } = expectFailed(await run(javascript("async () => { await new Promise(() => {}); }")));
  expect(failed).toMatchObject({ status: 1, command: "runFunction make" });
  expect(lines).toContain("make never ended: it awaits what never comes.");
});

test.each([
  ["a generator", "def make():\n    yield 1\n"],
  ["an asynchronous generator", "async def make():\n    yield 1\n"],
])("%s of Python fails the step, since it is never asked for a value", async (_, source) => {
  expect(expectFailed(await run(python(source))).lines).toContain("make is a generator, and nobody asks it for values.");
});

test.each([
  ["throws", "() => {\n  throw new Error('boom');\n}"],
  ["rejects", "async () => {\n  await 1;\n  throw new Error('boom');\n}"],
])("what a function %s is shown with frames of the function alone", async (_, source) => {
  const { lines } = expectFailed(await run(javascript(source)));
  const text = lines.join("\n");
  expect(text).toMatch(/Error: boom\n +at .*make:[23]:9/);
  expect(text).not.toMatch(/lamina-call|node:internal/);
});

test("a function that imports modules says nothing by itself", async () => {
  const { lines } = expectBuilt(await run(javascript("async () => { await import('node:fs'); }")));
  expect(lines.join("\n")).not.toMatch(/warning/i);
});
