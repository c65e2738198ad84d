/** Every method of an image with every parameter, in both languages: the same image is the same definition, and its layers have the same ids. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type BothSdks, bothSdks, type MadeRow } from "./support/both-languages.ts";
import { ALONE, DIFFERENT, makesLayer, methodsPage, offeredBy, rowsOf } from "./support/methods-table.ts";

let both: BothSdks;
beforeAll(async () => {
  both = await bothSdks();
}, 120_000);

test("what one language has the other has too, or something in its place", () => {
  const [typescript, python] = [offeredBy(both.typescript), offeredBy(both.python)];
  const alone = [...[...typescript.keys()].filter((key) => !python.has(key)), ...[...python.keys()].filter((key) => !typescript.has(key))];
  expect(alone.toSorted()).toEqual(Object.keys(ALONE).toSorted());
});

test.each(["typescript", "python"] as const)("for each parameter there is an image that is made with it: %s", (language) => {
  const made = [...rowsOf(both[language]).keys()].filter((key) => !(key in DIFFERENT));
  const offered = [...offeredBy(both[language]).keys()].filter(makesLayer);
  expect(made.toSorted()).toEqual(offered.toSorted());
});

test("the same image has the same definition and ids in both", () => {
  const [typescript, python] = [rowsOf(both.typescript), rowsOf(both.python)];
  const shared = [...typescript.keys()].filter((key) => !(key in DIFFERENT));
  const of = (rows: ReadonlyMap<string, MadeRow>) => shared.map((key) => ({ key, ...made(rows.get(key)) }));
  expect(of(python)).toEqual(of(typescript));
});

function made(row: MadeRow | undefined) {
  return { definition: row?.definition, ids: row?.ids };
}

test("each parameter makes another definition, but for those that are in no id", () => {
  const all = both.typescript.rows.map(({ method, parameter, definition }) => ({ method, parameter, text: JSON.stringify(definition) }));
  // The builder version is the one that there is.
  const others = all.filter(({ parameter }) => parameter !== "forceBuild" && parameter !== "builderVersion");
  const twice = others.filter(({ text }, index) => others.findIndex((other) => other.text === text) !== index);
  expect(twice).toEqual([]);
});

test("the page of methods says what was found", async () => {
  expect(await readFile(join(import.meta.dirname, "../METHODS.md"), "utf8")).toBe(methodsPage(both));
});
