import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Image, imageState } from "lamina";
import { expect, test } from "vitest";
import { snapshotOf } from "../src/snapshot.ts";
import { thrownBy } from "./support/thrown-by.ts";

const image = Image.debianSlim();

test("a function is its own source: what is around it is in no id", async () => {
  const write = (text: string) => process.getBuiltinModule("node:fs").writeFileSync("/made", text);
  const { definition } = await snapshotOf(imageState(image.runFunction(write, { args: ["a"] })));
  expect(definition.steps).toEqual([{ kind: "runFunction", language: "javascript", name: "write", source: write.toString(), args: ["a"] }]);
});

test("a function of Python comes with its file, which is read when the image is planned", async () => {
  const directory = await mkdtemp(join(tmpdir(), "lamina-test-"));
  const file = join(directory, "model.py");
  const withFunction = image.runFunction(`${file}:download`);
  await writeFile(file, "async def download(): pass\n");
  const { definition } = await snapshotOf(imageState(withFunction));
  expect(definition.steps).toEqual([{ kind: "runFunction", language: "python", name: "download", source: "async def download(): pass\n" }]);

  const another = snapshotOf(imageState(image.runFunction(`${file}:upload`)));
  await expect(another).rejects.toMatchObject({ info: { reason: "invalid-function", source: { file: import.meta.filename } } });
});

test.each([
  ["a function of the platform's own", () => image.runFunction(Math.max)],
  ["a path without a name", () => image.runFunction("model.py")],
  ["a name that is none", () => image.runFunction("model.py:a b")],
  ["a generator", () => image.runFunction(function* made() {})],
  ["an asynchronous generator", () => image.runFunction(async function* made() {})],
  ["a class", (): unknown => Reflect.apply(image.runFunction.bind(image), undefined, [class Made extends Map {}])],
])("refuses what is no function to build with: %s", (_, call) => {
  expect(thrownBy(call)).toMatchObject({
    code: "INVALID_INPUT",
    info: { reason: "invalid-function", source: { file: import.meta.filename } },
  });
});

test.each([
  ["a date", () => new Date()],
  ["what no number is", () => [Number.NaN]],
  ["a function in an object", () => ({ f: () => 1 })],
  ["what leads to itself", circle],
])("refuses as an argument what JSON cannot say: %s", (_, made: () => unknown) => {
  expect(thrownBy(() => Reflect.apply(image.runFunction.bind(image), undefined, [() => {}, { args: ["a", made()] }]))).toMatchObject({
    code: "INVALID_INPUT",
    info: {
      reason: "invalid-argument",
      message: "runFunction: args.2: must be what JSON can say",
      source: { file: import.meta.filename },
    },
  });
});

function circle(): unknown {
  const list: unknown[] = [];
  list.push({ list });
  return list;
}
