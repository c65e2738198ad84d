import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { APP, type AppState } from "../src/functions/definition.ts";
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
