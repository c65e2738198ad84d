import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
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
  return promisify(execFile)(process.execPath, ["--enable-source-maps", script]);
}

const APP_FILE = `
import { App, Image } from "lamina";
import { scaled } from "./helper.ts";
enum Factor { Two = 2 }
export const app = new App("numbers");
export const double = app.function({ image: Image.debianSlim() }, (value: number): number => scaled(value, Factor.Two));
export const named = app.function({ image: Image.debianSlim().env({ A: "1" }), name: "other" }, async function inner() {
  return await double.remote(1);
});
class Point { constructor(public x: number) {} }
export const counter = app.cls({ image: Image.debianSlim() }, class Counter { x = 1; add(n: number) { return (this.x += n); } });
await app.run(async () => { if (!process.env.NEVER) return; await double.remote(1); });
`;
const HELPER = `export interface Unused { a: string }


export function scaled(value: number, factor: number): number {
  if (value < 0) throw new RangeError("below zero");
  return value * factor;
}
`;
