/** The released packages as a user has them: packed, and installed by npm into an empty directory. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { jsonLines } from "./support/cli.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

let place: string;
let project: string;
beforeAll(async () => {
  place = await mkdtemp(path.join(tmpdir(), "lamina-packed-"));
  project = path.join(place, "project");
  const tarballs = path.join(place, "tarballs");
  await mkdir(project);
  await execa(process.execPath, [path.join(ROOT, "infra/pack/pack.mjs"), tarballs]);
  const files = (await readdir(tarballs)).map((file) => path.join(tarballs, file));
  await execa("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...files], { cwd: project });
});
afterAll(async () => {
  await lamina("down");
  await rm(place, { recursive: true, force: true });
});

/** `npx lamina …` in the project, with a home of its own. */
function lamina(...args: readonly string[]) {
  return execa("npx", ["lamina", ...args], { cwd: project, env: { LAMINA_HOME: path.join(place, "home") }, reject: false });
}

async function write(name: string, text: string): Promise<void> {
  await writeFile(path.join(project, name), text);
}

/** What a strict type check of a file says, of the declarations that it uses too. */
async function typeErrors(file: string): Promise<string[]> {
  const options = ["--noEmit", "--strict", "--module", "NodeNext", "--moduleResolution", "NodeNext", "--skipLibCheck", "false"];
  const tsc = path.join(ROOT, "node_modules/.bin/tsc");
  const { stdout } = await execa(tsc, [...options, "--types", "", file], { cwd: project, reject: false });
  return stdout.split("\n").filter((line) => line.includes("error"));
}

test("lamina --version says the version of the package", async () => {
  expect(await lamina("--version")).toMatchObject({ exitCode: 0, stdout: manifest.version });
  for (const name of ["lamina", "@lamina/cli"]) {
    const changelog = await readFile(path.join(project, "node_modules", name, "CHANGELOG.md"), "utf8");
    expect(changelog).toContain(`\n## ${manifest.version}\n`);
  }
});

test("the types are found, and an option that does not exist is an error", async () => {
  await write("typed.ts", 'import { Image } from "lamina";\nexport const image: Image = Image.debianSlim({ pythonVersion: "3.13" });\n');
  expect(await typeErrors("typed.ts")).toEqual([]);
  await write("mistyped.ts", 'import { Image } from "lamina";\nexport const image = Image.debianSlim({ python: "3.13" });\n');
  expect(await typeErrors("mistyped.ts")).toEqual([expect.stringMatching(/^mistyped\.ts\(2,\d+\): .*'python' does not exist/)]);
});

test("build starts the platform that came with it, and exec runs a command in the image", async () => {
  await write("image.ts", 'import { Image } from "lamina";\nexport const image = Image.debianSlim().runCommands("echo made >/made");\n');
  const built = await lamina("build", "image.ts", "--json");
  expect(jsonLines(built).at(-1)).toMatchObject({ type: "image", name: "image", layers: [{}, { status: "built" }] });
  expect(await lamina("exec", "image.ts#image", "--", "cat", "/made")).toMatchObject({ exitCode: 0, stdout: "made" });
}, 180_000);

test("a function of a file is bundled and called in its container", async () => {
  const app = 'import { App, Image } from "lamina";\nexport const app = new App("numbers");\n';
  const fn = "export const double = app.function({ image: Image.debianSlim() }, (value: number) => value * 2);\n";
  await write("numbers.ts", app + fn);
  expect(await typeErrors("numbers.ts")).toEqual([]);
  expect(await lamina("run", "numbers.ts", "21")).toMatchObject({ exitCode: 0, stdout: "42" });
}, 180_000);

test("a function that is deployed is called by the names of its parameters", async () => {
  expect(await lamina("deploy", "numbers.ts")).toMatchObject({ exitCode: 0 });
  expect(await lamina("call", "numbers.double", "--value", "21")).toMatchObject({ exitCode: 0, stdout: "42" });
}, 180_000);

test("an error names the place in the user's file", async () => {
  await write("wrong.ts", 'import { Image } from "lamina";\n\nexport const image = Image.debianSlim().workdir("~");\n');
  const { exitCode, stdout } = await lamina("build", "wrong.ts", "--json");
  expect(exitCode).toBe(2);
  expect(jsonLines({ stdout })).toMatchObject([{ type: "error", source: { file: path.join(project, "wrong.ts"), line: 3 } }]);
});
