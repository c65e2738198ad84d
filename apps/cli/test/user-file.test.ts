import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, jsonLines, type Outcome } from "./support/cli.ts";

// Far from any package.json or node_modules of ours.
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "lamina-user-file-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Plans against no platform: a file that loads gets as far as UNREACHABLE. */
async function plan(text: string, { name = "image.ts", pick = "", flags = ["--json"] } = {}): Promise<Outcome> {
  await writeFile(path.join(directory, name), text);
  const env = { LAMINA_URL: "http://127.0.0.1:9", LAMINA_TOKEN: "token", LAMINA_HOME: path.join(directory, ".home") };
  return cli(["plan", `${name}${pick}`, ...flags], { cwd: directory, env });
}

const LOADS = { exitCode: 3, stderr: "" };
const location = (line: number, column: number) => ({ file: path.join(directory, "image.ts"), line, column });

test("TypeScript and JavaScript without an installation get the SDK of the command line, without a warning", async () => {
  const source = 'import { Image } from "lamina";\nexport const image = Image.debianSlim();\n';
  expect(await plan(source)).toMatchObject(LOADS);
  expect(await plan(source.replace("image =", "image: Image ="))).toMatchObject(LOADS);
  expect(await plan(source, { name: "image.js" })).toMatchObject(LOADS);
  expect(await plan(source, { name: "image.mts" })).toMatchObject(LOADS);
});

test("so do those of a package that npm init has made, which says that it is CommonJS", async () => {
  const source =
    'import { Image } from "lamina";\nimport { a } from "./a.js";\nexport const image: Image = Image.debianSlim().env({ A: a });\n';
  await mkdir(path.join(directory, "made"));
  await writeFile(path.join(directory, "made/package.json"), '{ "type": "commonjs" }\n');
  await writeFile(path.join(directory, "made/a.js"), 'exports.a = "1";\n');
  expect(await plan(source, { name: "made/image.ts" })).toMatchObject(LOADS);
  expect(await plan(source.replace(": Image", ""), { name: "made/image.js" })).toMatchObject(LOADS);
});

test("images of an app's functions count, and an export is picked by its name", async () => {
  const source = `
    import { App, Image } from "lamina";
    export const a = Image.debianSlim();
    export const app = new App("app");
    export const f = app.function({ image: Image.debianSlim().env({ A: "1" }) }, () => 1);
  `;
  expect(await plan(source)).toMatchObject(LOADS);
  expect(await plan(source, { pick: "#f" })).toMatchObject(LOADS);
  const missing = await plan(source, { pick: "#b" });
  expect(missing.exitCode).toBe(2);
  expect(jsonLines(missing)[0]).toMatchObject({ code: "INVALID_INPUT", reason: "no-image", message: expect.stringMatching(/"b".*a, f/) });
});

test("a file without images, a missing file and one of another kind are bad input", async () => {
  expect((await plan("export const a = 1;")).exitCode).toBe(2);
  expect((await cli(["plan", path.join(directory, "missing.ts")])).exitCode).toBe(2);
  expect((await plan("a", { name: "image.txt" })).exitCode).toBe(2);
});

test("for a file in Python the commands that take it are named", async () => {
  const outcome = await plan("import lamina", { name: "image.py" });
  expect(outcome.exitCode).toBe(2);
  expect(jsonLines(outcome)).toMatchObject([{ reason: "no-image", message: expect.stringMatching(/`lamina run` and `lamina deploy`/) }]);
});

test.each([
  ["a syntax error in TypeScript", "failing-file", "export const a = 1;\nconst b: = 2;\n", [2, 10]],
  ["TypeScript that has to be compiled", "failing-file", "export const a = 1;\nenum B { C }\n", [2, 1]],
  ["TypeScript that ends too early", "failing-file", "export const a = 1;\nexport const b = f(\n", [2, 1]],
  ["an import that the SDK does not have", "failing-file", 'import { Imag } from "lamina";\nexport const a = Imag;\n', [1, 10]],
  ["a file that is not there", "failing-file", 'export const a = 1;\nimport { b } from "./not-there.ts";\n', [2, 19]],
  ["a package that is not installed", "failing-file", 'import { b } from "no-such-package/part";\n', [1, 19]],
  ["an error that is thrown", "failing-file", "export const a = 1;\nfunction f() {\n  throw new TypeError(`bad`);\n}\nf();\n", [3, 9]],
  [
    "an error of Node's that is awaited",
    "failing-file",
    'import { readFile } from "node:fs/promises";\nexport const a = await readFile("/not/there");\n',
    [2, 18],
  ],
  [
    "a call that cannot be right",
    "invalid-python-version",
    'import { Image } from "lamina";\nexport const a = Image\n  .debianSlim({ pythonVersion: "four" });\n',
    [3, 4],
  ],
])("%s is shown with its place in the user's file", async (...[, reason, source, [line = 0, column = 0]]) => {
  const outcome = await plan(source);
  expect(outcome.exitCode).toBe(2);
  expect(jsonLines(outcome)).toEqual([
    expect.objectContaining({ type: "error", code: "INVALID_INPUT", reason, source: location(line, column) }),
  ]);
});

test.each([
  ["a rejection that nobody catches", 'Promise.reject(new Error("boom"));', "Error: boom"],
  ["the first of two rejections", 'Promise.reject(new Error("boom")), Promise.reject(new Error("other"));', "Error: boom"],
  ["a throw in a timer", 'await new Promise(() => setTimeout(() => { throw new Error("boom"); }));', "Error: boom"],
  ["an end of the program", "process.exit(0);", "process.exit(0)"],
  ["an end of the program that the file catches itself", "try { process.exit(3); } catch {}", "process.exit(3)"],
])("%s is an error of the user's file, with its place", async (...[, statement, message]) => {
  const outcome = await plan(`import { Image } from "lamina";\nexport const image = Image.debianSlim();\n${statement}\n`);
  expect(outcome).toMatchObject({ exitCode: 2, stderr: "" });
  const source = { file: path.join(directory, "image.ts"), line: 3 };
  expect(jsonLines(outcome)).toMatchObject([
    { type: "error", code: "INVALID_INPUT", reason: "failing-file", message: expect.stringContaining(message), source },
  ]);
});

test("a file that awaits what never comes is an error that names it", async () => {
  const outcome = await plan('import { Image } from "lamina";\nexport const image = Image.debianSlim();\nawait new Promise(() => {});\n');
  expect(outcome).toMatchObject({ exitCode: 2, stderr: "" });
  expect(jsonLines(outcome)).toMatchObject([
    { type: "error", code: "INVALID_INPUT", reason: "failing-file", message: expect.stringContaining("image.ts awaits") },
  ]);
});

test("a syntax error in JavaScript is shown with its place too", async () => {
  const outcome = await plan("export const a = 1;\nconst b = = 2;\n", { name: "broken.js" });
  expect(jsonLines(outcome)[0]).toMatchObject({ source: { file: path.join(directory, "broken.js"), line: 2 } });
  const early = await plan("export const a = 1;\nexport const b = f(\n", { name: "early.js" });
  expect(jsonLines(early)[0]).toMatchObject({ source: { file: path.join(directory, "early.js"), line: 3 } });
});

test("a missing package is named", async () => {
  const outcome = await plan('import "no-such-package";\n');
  expect(outcome.exitCode).toBe(2);
  expect(jsonLines(outcome)[0]).toMatchObject({ message: expect.stringContaining("no-such-package") });
});

test("people see the line itself, and none of our frames", async () => {
  const { stderr } = await plan("export const a = 1;\nthrow new Error(`out of luck`);\n", { flags: [] });
  expect(stderr).toContain("out of luck");
  expect(stderr).toContain("> 2 │ throw new Error(`out of luck`);");
  expect(stderr).not.toMatch(/apps\/cli|node:internal/);
});

test("what a file prints goes to stderr, and what it leaves running does not keep the command", async () => {
  const source =
    'import { Image } from "lamina";\nconsole.log("hello");\nsetInterval(() => {}, 1_000);\nexport const image = Image.debianSlim();\n';
  const outcome = await plan(source);
  expect(outcome).toMatchObject({ exitCode: 3, stderr: "hello" });
  expect(jsonLines(outcome)).toMatchObject([{ type: "error", code: "UNREACHABLE" }]);
});
