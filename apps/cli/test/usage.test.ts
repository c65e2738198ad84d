import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, jsonLines } from "./support/cli.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "lamina-usage-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test("help and version end with 0, bad usage with 2", async () => {
  expect(await cli(["--version"])).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  expect((await cli(["--help"])).exitCode).toBe(0);
  expect((await cli(["build"])).exitCode).toBe(2);
  expect((await cli(["no-such-command"])).exitCode).toBe(2);
  expect((await cli(["builds", "--limit", "0"])).exitCode).toBe(2);
});

test("bad usage names the command's own usage, and help says nothing of switches that are off", async () => {
  expect((await cli(["exec", "image.ts"])).stderr).toContain("usage: lamina exec [options] <image> -- <command...>");
  expect((await cli(["secret", "set"])).stderr).toContain("(lamina secret set --help says more)");
  expect((await cli(["build", "--help"])).stdout).not.toContain("default");
  expect((await cli(["builds", "--help"])).stdout).toContain("(default: 50)");
});

test("the help of every command is in lines of 80 columns, and says what each is for beside its name", async () => {
  const { stdout } = await cli(["--help"]);
  const commands = [...stdout.matchAll(/^  ([a-z]+) {2,}\S/gm)].map(([, name = ""]) => name);
  expect(commands).toEqual(expect.arrayContaining(["build", "run", "shell", "secret", "doctor", "help"]));
  const helps = await Promise.all(commands.map((command) => cli(["help", command])));
  for (const help of [stdout, ...helps.map((one) => one.stdout)])
    for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("bad usage is told as JSON to who asked for JSON", async () => {
  const outcome = await cli(["build", "--json"]);
  expect(outcome.exitCode).toBe(2);
  expect(jsonLines(outcome)).toEqual([
    { type: "error", code: "INVALID_INPUT", reason: "invalid-usage", message: expect.stringContaining("file") },
  ]);
});

test("help and version load neither zod nor the SDK", async () => {
  const recorder = path.join(directory, "record.mjs");
  await writeFile(
    recorder,
    `import { registerHooks } from "node:module";
     registerHooks({ load: (url, context, next) => { process.stderr.write(url + "\\n"); return next(url, context); } });`,
  );
  for (const argument of ["--version", "--help"]) {
    const { stderr } = await cli([argument], { env: { NODE_OPTIONS: `--import ${recorder}` } });
    expect(stderr).toContain("/program.ts");
    expect(stderr).not.toMatch(/\/zod\/|@trpc|packages\/sdk/);
  }
});

test("exec without a command says how to give one, before a platform is looked for", async () => {
  const { exitCode, stderr } = await cli(["exec", "0".repeat(64), "--"], { env: { LAMINA_HOME: directory } });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`lamina exec ${"0".repeat(64)} -- COMMAND`);
});

test("shell says what it takes, and refuses two commands before a platform is looked for", async () => {
  const { exitCode, stdout } = await cli(["shell", "--help"]);
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: expect.stringMatching(
      /^Usage: lamina shell \[options\] <image\|function> \[-- <program\.\.\.>\]\n[^]*FILE::function[^]*--command <line>/,
    ),
  });
  const both = await cli(["shell", "image.ts#image", "-c", "ls", "--", "ls"], { env: { LAMINA_HOME: directory } });
  expect(both).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("(--command)") });
  expect((await cli(["shell"])).exitCode).toBe(2);
});

test("a home that cannot be used is exit code 2, with the variable that names another", async () => {
  const file = path.join(directory, "a-file");
  await writeFile(file, "");
  for (const command of ["up", "images"]) {
    const { exitCode, stderr } = await cli([command], { env: { LAMINA_HOME: path.join(file, "home") } });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/a-file\/home, cannot be used: ENOTDIR.*LAMINA_HOME/);
  }
  const nowhere = await cli(["up"], { env: { LAMINA_HOME: "/proc/nowhere/home" } });
  expect(nowhere).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/\/proc\/nowhere\/home, cannot be used: ENOENT.*LAMINA_HOME/),
  });
});

test("a platform that cannot be reached is exit code 3", async () => {
  const env = { LAMINA_URL: "http://127.0.0.1:9", LAMINA_TOKEN: "token", LAMINA_HOME: directory };
  const outcome = await cli(["images", "--json"], { env });
  expect(outcome.exitCode).toBe(3);
  expect(jsonLines(outcome)).toEqual([{ type: "error", code: "UNREACHABLE", message: expect.stringContaining("http://127.0.0.1:9") }]);
});

test("a value of a secret is not taken from an argument, nor repeated", async () => {
  const { exitCode, stderr } = await cli(["secret", "set", "token", "TOKEN=hunter2"], { env: { LAMINA_HOME: directory } });
  expect(exitCode).toBe(2);
  expect(stderr).not.toContain("hunter2");
});

test("an environment that cannot be right is exit code 2, with the variable's name", async () => {
  const outcome = await cli(["images", "--json"], { env: { LAMINA_URL: "nowhere", LAMINA_HOME: directory } });
  expect(outcome.exitCode).toBe(2);
  const message = expect.stringContaining("LAMINA_URL");
  expect(jsonLines(outcome)).toEqual([{ type: "error", code: "INVALID_INPUT", reason: "invalid-configuration", message }]);
});

test("a platform that is named without a token is told before it is asked", async () => {
  const outcome = await cli(["images", "--json"], { env: { LAMINA_URL: "http://127.0.0.1:9", LAMINA_TOKEN: "", LAMINA_HOME: directory } });
  expect(outcome.exitCode).toBe(3);
  expect(jsonLines(outcome)).toEqual([{ type: "error", code: "UNAUTHORIZED", message: expect.stringContaining("LAMINA_TOKEN") }]);
});

test("colours follow NO_COLOR and FORCE_COLOR, and are off where output is not a terminal", async () => {
  const args = ["build", "missing.ts"];
  for (const CI of ["", "1", "true"]) {
    const { stdout, stderr } = await cli(args, { env: { CI, TERM: "xterm-256color" } });
    expect(stderr).toContain("missing.ts");
    expect(`${stdout}${stderr}`).not.toContain("\u001b");
  }
  expect((await cli(args, { env: { FORCE_COLOR: "1" } })).stderr).toContain("\u001b");
  expect((await cli(args, { env: { FORCE_COLOR: "1", NO_COLOR: "1" } })).stderr).not.toContain("\u001b");
  for (const given of [
    ["--no-color", ...args],
    ["build", "--no-color", "missing.ts"],
  ]) {
    const { stderr } = await cli(given, { env: { FORCE_COLOR: "1" } });
    expect(stderr).toContain("missing.ts");
    expect(stderr).not.toContain("\u001b");
  }
  const { stderr } = await cli(["bild"], { env: { FORCE_COLOR: "1" } });
  expect(stderr).toContain("\u001b");
  expect(stripVTControlCharacters(stderr)).toMatch(/^error: unknown command 'bild'\n\(Did you mean build\?\)/);
});
