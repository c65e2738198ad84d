import { App, Image } from "lamina";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CallsPlatform, callsPlatform } from "./support/calls.ts";
import { workspace } from "./support/workspace.ts";

const app = new App("numbers");
const double = app.function({ image: Image.debianSlim(), name: "double" }, (value: number) => value * 2);

let platform: CallsPlatform;
beforeEach(async () => {
  platform = await callsPlatform();
  platform.handlers.set("numbers.double", ({ args: [value] }) => Number(value) * 2);
});
afterEach(() => platform[Symbol.asyncDispose]());

// What calls in this process has one client, so one test alone does.

/** A program that calls a function by itself. */
async function program(
  directory: { write: (files: Record<string, string>) => Promise<void>; path: (name: string) => string },
  body: string,
) {
  const sdk = join(import.meta.dirname, "../src/index.ts");
  await directory.write({
    "program.ts": `import { App } from ${JSON.stringify(sdk)};\nconst double = App.lookup("numbers").function("double");\n${body}`,
  });
  const { stdout } = await promisify(execFile)(process.execPath, [directory.path("program.ts")], { timeout: 60_000 });
  return stdout.trim().split("\n");
}

/** Calls until calls go over the line. */
const UNTIL_OPEN = `
let calls = 0;
while (!(await fetch(process.env.LAMINA_URL + "/over-line").then((response) => response.json()))) { await double.remote(1); calls += 1; }
`;

test("a program that called over a line ends when it waits for nothing, and not before", async () => {
  await using place = await workspace();
  platform.handlers.set("numbers.double", async ({ args: [value] }) => {
    if (value === 21) await delay(500);
    return Number(value) * 2;
  });
  expect(await program(place, `${UNTIL_OPEN} console.log(await double.remote(21));`)).toEqual(["42"]);
  expect(platform.overLine).toBeGreaterThan(0);
});

test("the first call opens no line, which most programs would not use", async () => {
  await using place = await workspace();
  expect(await program(place, `console.log(await double.remote(4));`)).toEqual(["8"]);
  expect(platform.overLine).toBe(0);
});

test("what the platform refuses is thrown as over HTTP", async () => {
  await using place = await workspace();
  const told = await program(
    place,
    `${UNTIL_OPEN}
     const before = await fetch(process.env.LAMINA_URL + "/over-line").then((response) => response.json());
     await App.lookup("numbers").function("triple").remote(1).catch((error) => console.log(error.code, error.message.includes("lamina deploy FILE")));
     console.log(await double.remote(4));
     console.log((await fetch(process.env.LAMINA_URL + "/over-line").then((response) => response.json())) - before);`,
  );
  expect(told).toEqual(["NOT_FOUND true", "8", "2"]);
});

test("a call whose line is lost is asked for again, and begins once", async () => {
  let begun = 0;
  const isOpen = async () => {
    await double.remote(1);
    return platform.overLine > 0;
  };
  await expect.poll(isOpen, { interval: 10 }).toBe(true);
  const { promise: began, resolve: begin } = Promise.withResolvers<void>();
  platform.handlers.set("numbers.double", async ({ args: [value] }) => {
    begun += 1;
    begin();
    await lost.promise;
    return Number(value) * 2;
  });
  const lost = Promise.withResolvers<void>();
  const result = double.remote(5);
  await began;
  platform.loseLines();
  lost.resolve();
  expect(await result).toBe(10);
  expect({ begun, again: platform.again }).toEqual({ begun: 1, again: 1 });
});

test("calls go over HTTP where there are no lines", async () => {
  await using place = await workspace();
  platform.hasLines = false;
  expect(await program(place, `for (let value = 0; value < 5; value += 1) console.log(await double.remote(value));`)).toHaveLength(5);
  expect(platform.overLine).toBe(0);
});
