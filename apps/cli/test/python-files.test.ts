/** Files in Python by the command line, on the platform that it starts. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pythonSdk } from "@lamina/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, jsonLines, startCli } from "./support/cli.ts";

const NUMBERS = `
import time
import lamina

app = lamina.App("python-numbers")
image = lamina.Image.debian_slim(python_version="3.13")

@app.function(image=image)
def add(x: int, y: int = 1) -> int:
    print("adding", x)
    if x < 0:
        raise ValueError("below zero")
    return x + y

@app.function(image=image)
def hang() -> None:
    print("hanging")
    time.sleep(600)

@app.local_entrypoint()
def main(count: int):
    return list(add.map(range(count)))
`;

let home: string;
let directory: string;
let environment: Readonly<Record<string, string>>;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "lamina-home-"));
  directory = await mkdtemp(path.join(tmpdir(), "lamina-user-"));
  environment = { ...(await pythonSdk()), LAMINA_HOME: home };
  await write(NUMBERS);
});
afterAll(async () => {
  await lamina("down");
  await rm(home, { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
});

function write(text: string): Promise<void> {
  return writeFile(path.join(directory, "numbers_app.py"), text);
}

const options = () => ({ env: environment, cwd: directory });

function lamina(...args: readonly string[]) {
  return cli(args, options());
}

test("run calls a function with arguments by their names: its logs on stderr, its result alone on stdout", async () => {
  const outcome = await lamina("run", "numbers_app.py::add", "--x", "7");
  expect(outcome).toMatchObject({ exitCode: 0, stdout: "8", stderr: expect.stringContaining("adding 7") });
  const lines = jsonLines(await lamina("run", "numbers_app.py::add", "7", "--y", "2", "--json"));
  expect(lines.at(-1)).toEqual({ type: "result", value: 9 });
  const [{ id } = {}] = jsonLines(await lamina("calls", "--limit", "1", "--json"));
  expect(lines).toContainEqual({ type: "call", id });
  expect(lines).toContainEqual(expect.objectContaining({ type: "log", lines: ["adding 7"] }));
});

test("run of a file runs its entry point, with arguments of the kinds that are annotated", async () => {
  expect(await lamina("run", "numbers_app.py", "--count", "3")).toMatchObject({ exitCode: 0, stdout: "[1,2,3]" });
  const wrong = await lamina("run", "numbers_app.py", "--count", "three");
  expect(wrong).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining('count: "three" is no whole number') });
});

test("a function that raises is exit code 1, with its class, message and stack", async () => {
  const outcome = await lamina("run", "numbers_app.py::add", "--x=-1");
  expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
  expect(outcome.stderr).toMatch(/CALL_FAILED: ValueError: below zero[^]*File "numbers_app\.py", line \d+, in add/);
});

test("what is deployed is called by its name; a change of code is live with no image built", async () => {
  expect(await lamina("deploy", "numbers_app.py")).toMatchObject({
    exitCode: 0,
    stdout: "python-numbers version 1: add, hang",
  });
  expect(await lamina("call", "python-numbers.add", "--x", "4")).toMatchObject({ exitCode: 0, stdout: "5", stderr: "adding 4" });
  await write(NUMBERS.replace("x + y", "x * 100 + y"));
  const lines = jsonLines(await lamina("deploy", "numbers_app.py", "--json"));
  expect(lines.map(({ type }) => type)).not.toContain("layer-started");
  expect(lines.at(-1)).toMatchObject({ type: "app", name: "python-numbers", version: 2 });
  expect(await lamina("call", "python-numbers.add", "--x", "4")).toMatchObject({ exitCode: 0, stdout: "401" });
});

test("a file that is wrong is exit code 2, with the place in it", async () => {
  await writeFile(path.join(directory, "wrong.py"), `${NUMBERS}\n@app.function(timeout="long")\ndef other(): ...\n`);
  const outcome = await lamina("deploy", "wrong.py", "--json");
  expect(outcome.exitCode).toBe(2);
  expect(jsonLines(outcome)).toEqual([
    expect.objectContaining({
      type: "error",
      code: "INVALID_INPUT",
      message: "App.function: timeout: must be a number",
      source: expect.objectContaining({ file: path.join(directory, "wrong.py"), line: NUMBERS.split("\n").length + 1 }),
    }),
  ]);
});

test("a Python without the SDK is told how to have it", async () => {
  const { PYTHONPATH: _, ...others } = environment;
  const outcome = await cli(["run", "numbers_app.py::add", "1"], { env: { ...others, PYTHONSAFEPATH: "1" }, cwd: directory });
  expect(outcome).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("python3 -m pip install lamina") });
});

test("a Python that cannot import the SDK is told why", async () => {
  const place = path.join(directory, "broken");
  await mkdir(path.join(place, "lamina"), { recursive: true });
  await writeFile(path.join(place, "lamina/__init__.py"), "raise ImportError('this is too old')\n");
  const env = { ...environment, PYTHONPATH: place };
  const outcome = await cli(["run", "numbers_app.py::add", "1", "--json"], { env, cwd: directory });
  const message = expect.stringContaining("python3 cannot import the package lamina: ImportError: this is too old");
  expect(outcome.exitCode).toBe(2);
  expect(jsonLines(outcome).at(-1)).toMatchObject({ type: "error", code: "INVALID_INPUT", message });
});

test("Ctrl-C cancels the call, ends the app for the moment, and ends with 130", async () => {
  const running = startCli(["run", "numbers_app.py::hang", "--json"], options());
  for await (const line of running) if (line.includes('"hanging"')) running.kill("SIGINT");
  expect((await running).exitCode).toBe(130);
  expect(jsonLines(await lamina("calls", "--limit", "1", "--json"))).toMatchObject([{ function: "hang", state: "cancelled" }]);
});
