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
])("refuses what is no function to build with: %s", (_, call) => {
  expect(thrownBy(call)).toMatchObject({ code: "INVALID_INPUT", info: { reason: "invalid-function" } });
});
