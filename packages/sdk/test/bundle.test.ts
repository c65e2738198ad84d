import { execFile } from "node:child_process";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import * as sdk from "lamina";
import { APP, type AppState } from "../src/functions/definition.ts";
import { STAND_IN } from "../src/code/stand-in.ts";
import { codeOf } from "../src/code/tree.ts";
import { type Workspace, workspace } from "./support/workspace.ts";

/** The app that a file exports, as Node loads it, without a test runner in between. */
async function appOf(place: Workspace, file: string): Promise<AppState> {
  const exports: Record<string, unknown> = await import(/* @vite-ignore */ pathToFileURL(place.path(file)).href);
  return z.custom<{ readonly [APP]: AppState }>().parse(exports["app"])[APP];
}

/** What a container does with the bundle of a file: loads it, and calls a function by its registered name. */
async function called(place: Workspace, file: string, call: string): Promise<{ stdout: string; stderr: string }> {
  const { name, functions } = await appOf(place, file);
  await using code = await codeOf({ app: name, functions, home: place.path("../home") });
  const [first] = code.functions;
  const [local] = first === undefined ? [] : first.tree.files.values();
  if (local === undefined) throw new TypeError("the app has no function");
  const script = place.path("../call.mjs");
  await writeFile(
    script,
    `await import(${JSON.stringify(pathToFileURL(local.path).href)});
const handlers = globalThis[Symbol.for("lamina.handlers")];
try { console.log(JSON.stringify(await (${call})(handlers))); } catch (error) { console.error(error.stack); }`,
  );
  return await promisify(execFile)(process.execPath, ["--enable-source-maps", script], { env: { ...process.env, RUNS: "1" } });
}

const APP_FILE = `
import { App, Image } from "lamina";
import { scaled } from "./helper.ts";
export const app = new App("numbers");
export const double = app.function({ image: Image.debianSlim() }, (value: number): number => scaled(value, 2));
export const named = app.function({ image: Image.debianSlim().env({ A: "1" }), name: "other" }, async function inner() {
  return await double.remote(1);
});
export const counter = app.cls({ image: Image.debianSlim() }, class Counter { x = 1; add(n: number) { return (this.x += n); } });
if (process.env["RUNS"]) await app.run(async () => await double.remote(1));
`;
const HELPER = `export interface Unused { a: string }


export function scaled(value: number, factor: number): number {
  if (value < 0) throw new RangeError("below zero");
  return value * factor;
}
`;

async function project(files: Readonly<Record<string, string>>): Promise<Workspace> {
  const place = await workspace();
  await place.write({ "package.json": '{ "type": "module" }', ...files });
  await mkdir(place.path("node_modules"));
  await symlink(join(import.meta.dirname, ".."), place.path("node_modules/lamina"));
  return place;
}

test("a container calls the functions of a bundle by their names, those of their variables too, without this package", async () => {
  await using place = await project({ "src/app.ts": APP_FILE, "src/helper.ts": HELPER });
  const app = await appOf(place, "src/app.ts");
  expect(app.functions.map(({ name }) => name)).toEqual(["double", "other", "Counter"]);
  const ran = await called(place, "src/app.ts", "async (handlers) => [[...handlers.keys()], await handlers.get('numbers/double')(21)]");
  expect(ran.stderr).toBe("");
  expect(JSON.parse(ran.stdout)).toEqual([["numbers/double", "numbers/other", "numbers/Counter"], 42]);
});

test("a stack names the files and lines that the user wrote", async () => {
  await using place = await project({ "src/app.ts": APP_FILE, "src/helper.ts": HELPER });
  const { stderr } = await called(place, "src/app.ts", "(handlers) => handlers.get('numbers/double')(-1)");
  expect(stderr).toMatch(/RangeError: below zero\n +at scaled \(.*src\/helper\.ts:5:\d+\)\n.*src\/app\.ts:5:\d+/);
});

test("in a container a function is called there only by the platform, and says so", async () => {
  await using place = await project({ "src/app.ts": APP_FILE, "src/helper.ts": HELPER });
  const { stderr } = await called(place, "src/app.ts", "(handlers) => handlers.get('numbers/other')()");
  expect(stderr).toContain("double.remote is of no use in a container");
});

/** What of a function of each file is called in a container, with 20. */
async function calledInContainers(place: Workspace, file: string): Promise<number[]> {
  const { name, functions } = await appOf(place, file);
  await using code = await codeOf({ app: name, functions, home: place.path("../home") });
  const inOrder = code.functions.map(async ({ entry, tree }) => {
    const [local] = tree.files.values();
    const script = `await import(${JSON.stringify(pathToFileURL(local?.path ?? "").href)});
console.log(globalThis[Symbol.for("lamina.handlers")].get(${JSON.stringify(entry.name)})(20));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
    return Number(stdout);
  });
  return await Promise.all(inOrder);
}

const FACTORY = `
export const make = (app, image, name, f) => app.function({ image, name }, f);
export async function later(app, image, name, f) { await undefined; return make(app, image, name, f); }
export function others(app, image) { const twice = app.function({ image }, (x) => x * 2); return { twice }; }
`;
const USES_FACTORY = (factory: string): string => `
import { App, Image } from "lamina";
import { later, make, others } from "${factory}";
export const app = new App("made");
const image = Image.debianSlim();
export const one = make(app, image, "one", (x: number) => x + 1);
export const [two] = [2].map((n) => make(app, image, "two", (x: number) => x + n));
export const three = await later(app, image, "three", (x: number) => x + 3);
export const { twice } = others(app, image);
`;

test.each([
  ["a helper makes for a file", { "factory.js": FACTORY, "app.ts": USES_FACTORY("./factory.js") }, [21, 22, 23, 40]],
  [
    "a package makes for a file",
    {
      "lib/made/package.json": '{ "name": "made", "type": "module", "exports": "./index.js" }',
      "lib/made/index.js": FACTORY,
      "app.ts": USES_FACTORY("made"),
    },
    [21, 22, 23, 40],
  ],
  [
    "several files make, which a program imports",
    {
      "base.ts": 'import { App, Image } from "lamina";\nexport const app = new App("several");\nexport const image = Image.debianSlim();',
      "one.ts": 'import { app, image } from "./base.ts";\nexport const one = app.function({ image }, (x: number) => x + 1);',
      "two.ts":
        'import { app, image } from "./base.ts";\nimport "./one.ts";\nexport const two = app.function({ image }, (x: number) => x + 2);',
      "app.ts":
        'export * from "./base.ts";\nimport "./two.ts";\nif (globalThis[Symbol.for("lamina.handlers")]) throw new Error("loaded in a container");',
    },
    [21, 22],
  ],
])("a container has the functions that %s", async (_, files, results) => {
  await using place = await project(files);
  if ("lib/made/index.js" in files) await rename(place.path("lib/made"), place.path("node_modules/made"));
  expect(await calledInContainers(place, "app.ts")).toEqual(results);
});

test("a container has every name of this package, and what is of no use there says so when it is used, not before", async () => {
  const standIn: Readonly<Record<string, unknown>> = await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(STAND_IN)}`
  );
  expect(Object.keys(standIn).toSorted()).toEqual(Object.keys(sdk).toSorted());
  const text = `import { asLaminaError, buildImage, LaminaError, ValueProblem, VERSION } from "lamina";
import { App, Image } from "lamina";
export const app = new App("uses");
const uses = [
  () => buildImage(Image.debianSlim()),
  () => new ValueProblem("none"),
  () => VERSION + "",
  () => asLaminaError(new LaminaError({ code: "CANCELLED", message: "it was" })).code,
];
export const use = app.function({ image: Image.debianSlim() }, () => uses.map((one) => { try { return one(); } catch (error) { return error.message; } }));`;
  await using place = await project({ "app.ts": text });
  const { stdout } = await called(place, "app.ts", "(handlers) => handlers.get('uses/use')()");
  const ofNoUse = (name: string): unknown => expect.stringContaining(`${name} is of no use in a container`);
  expect(JSON.parse(stdout)).toEqual([ofNoUse("buildImage"), ofNoUse("ValueProblem"), ofNoUse("VERSION"), "CANCELLED"]);
});

test("what cannot be bundled is told in a line, with its place", async () => {
  const text = `${APP_FILE}\nif (process.env["NEVER"]) await import("./nowhere.ts");`;
  await using place = await project({ "src/app.ts": text, "src/helper.ts": HELPER });
  const { name, functions } = await appOf(place, "src/app.ts");
  await expect(codeOf({ app: name, functions, home: place.path("../home") })).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: `double: Could not resolve './nowhere.ts' in src/app.ts (${place.path("src/app.ts")}:12:40)`,
  });
});

test("the same sources give the same code, wherever they lie", async () => {
  await using one = await project({ "src/app.ts": APP_FILE, "src/helper.ts": HELPER });
  await using other = await project({ "src/app.ts": APP_FILE, "src/helper.ts": HELPER });
  const digests = [one, other].map(async (place) => {
    const { name, functions } = await appOf(place, "src/app.ts");
    await using code = await codeOf({ app: name, functions, home: place.path("../home") });
    return code.functions.map(({ tree }) => tree.digest);
  });
  const [first, second] = await Promise.all(digests);
  expect(first).toEqual(second);
  expect(new Set(first).size).toBe(1);
});

test.each([
  ["a native addon", 'import "./addon.node";', /addon\.node, which .*app\.ts imports, is, or loads, a native addon/],
  ["what loads one", 'import "node-gyp-build";', /node-gyp-build, which .* native addon/],
])("%s is an error with the place of the function", async (_, line, message) => {
  const text = `${line.replace("import", "if (process.env.NEVER) await import(").replace(";", ");")}\n${APP_FILE}`;
  await using place = await project({ "src/app.ts": text, "src/helper.ts": HELPER });
  const { name, functions } = await appOf(place, "src/app.ts");
  await expect(codeOf({ app: name, functions, home: place.path("../home") })).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringMatching(message),
    info: { source: { file: place.path("src/app.ts"), line: 6 } },
  });
});
