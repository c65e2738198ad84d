import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { callSiteIn, loadedFileIn } from "../src/source.ts";

const run = promisify(execFile);

test.each([
  ["a module", "    at file:///home/a/image.ts:3:20", { file: "/home/a/image.ts", line: 3, column: 20 }],
  ["a function of a module", "    at make (file:///home/a%20b/image.ts:3:20)", { file: "/home/a b/image.ts", line: 3, column: 20 }],
  ["an awaited module", "    at async file:///home/a/image.ts:3:20", { file: "/home/a/image.ts", line: 3, column: 20 }],
  ["CommonJS", "    at Object.<anonymous> (/home/a/image.js:1:2)", { file: "/home/a/image.js", line: 1, column: 2 }],
  ["a path with brackets", "    at f (/home/a (b)/image.js:1:2)", { file: "/home/a (b)/image.js", line: 1, column: 2 }],
  ["a renamed method", "    at Image.m [as pipInstall] (/home/a/b.js:1:2)", { file: "/home/a/b.js", line: 1, column: 2 }],
])("a frame of %s is read", (_, frame, location) => {
  expect(callSiteIn(`Error\n${frame}`)).toEqual(location);
});

test("frames of this package, of Node and without a place are passed over", () => {
  const stack = [
    "Error",
    `    at callSite (file://${join(import.meta.dirname, "../src/source.ts")}:8:20)`,
    "    at Array.map (<anonymous>)",
    "    at node:internal/main/run_main_module:36:49",
    "    at /home/a/image.mjs:7:9",
  ].join("\n");
  expect(callSiteIn(stack)).toEqual({ file: "/home/a/image.mjs", line: 7, column: 9 });
});

test.each([
  [
    "itself",
    ["at file:///a/app.mjs:2:1", "at ModuleJob.run (node:internal/modules/esm/module_job:1:1)", "at async file:///a/main.mjs:3:1"],
  ],
  ["through helpers", ["at make (file:///a/helper.mjs:1:2)", "at Array.map (<anonymous>)", "at file:///a/app.mjs:9:1"]],
  ["through a package", ["at make (file:///a/node_modules/made/index.js:1:2)", "at file:///a/app.mjs:9:1"]],
  ["under a test runner", ["at /a/app.mjs:2:1", "at run (file:///a/node_modules/runner/index.js:1:2)", "at async /a/app.test.mjs:3:1"]],
  [
    "where it is required",
    ["at Object.<anonymous> (/a/app.mjs:2:1)", "at require (node:internal/modules/helpers:1:1)", "at Object.<anonymous> (/a/main.cjs:1:1)"],
  ],
])("the file that makes a call when it is loaded is known: %s", (_, frames) => {
  expect(loadedFileIn(["Error", ...frames.map((frame) => `    ${frame}`)].join("\n"))).toBe("/a/app.mjs");
});

test("a stack without a file gives none", () => {
  for (const stack of ["Error\n    at REPL1:1:1", ""]) expect([callSiteIn(stack), loadedFileIn(stack)]).toEqual([null, null]);
});

test("a TypeScript file that Node runs as it is gives its own lines, and the package's types hold", async () => {
  const directory = await mkdtemp(join(import.meta.dirname, "user-"));
  try {
    const file = join(directory, "image.ts");
    const lines = [
      'import { Image, imageState, type ImageState } from "lamina";',
      "interface Unused { readonly a: string }",
      "const image: Image = Image.debianSlim()",
      "  .aptInstall(",
      '    "git",',
      "  );",
      "const { sources }: ImageState = imageState(image);",
      "console.log(JSON.stringify(sources));",
    ];
    await writeFile(file, lines.join("\n"));
    const { stdout } = await run(process.execPath, [file]);
    expect(JSON.parse(stdout)).toEqual([
      { file, line: 3, column: 28 },
      { file, line: 4, column: 4 },
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
