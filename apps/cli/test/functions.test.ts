/** Functions through a whole platform: what is deployed and called, by the command line and by the SDK in a user's file. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, jsonLines, startCli } from "./support/cli.ts";
import { sitAtCli } from "./support/terminal.ts";

let home: string;
let directory: string;

const NUMBERS = `
import { App, Image } from "lamina";
export const app = new App("numbers");
const image = Image.debianSlim().env({ OFFSET: "100" });
export const double = app.function({ image }, (value: number) => {
  console.log("doubling", value);
  return value * 2;
});
export const fails = app.function({ image }, (input: { name: string }) => {
  throw new TypeError("no " + input.name);
});
export const greet = app.function({ image }, (name: string, maxWords: number, greeting = "hello") => [greeting, name, maxWords]);
export const order = app.function({ image }, ({ item, count = 1 }: { item: string; count?: number }) => [item, count]);
export const all = app.function({ image }, (...values: number[]) => values.length);
export const letters = app.function({ image }, (count: number) => new Uint8Array(count).fill(65));
export const hang = app.function({ image }, async () => {
  console.log("hanging");
  await new Promise((resolve) => setTimeout(resolve, 600_000));
});
export const sum = app.function<(a: number, b: number) => number>({ image, name: "sum", python: "adding:add" });
export const counter = app.cls({ image }, class Counter {
  count = 0;
  enter() { this.count = Number(process.env["OFFSET"]); }
  add(amount: number) { return (this.count += amount); }
});
`;
const ADDING = `
def add(a, b):
    print("adding")
    if a < 0:
        raise KeyError("below zero")
    return a + b
`;
const MAIN = `
import { Call } from "lamina";
import { app, counter, double, fails, hang, sum } from "./numbers.ts";
export { app };
export default async function main() {
  const results: number[] = [];
  for await (const result of double.map(Array.from({ length: 200 }, (_, index) => index))) results.push(result);
  const caught = async (call: () => Promise<unknown>) => call().then(() => null, (error) => ({
    name: error.name, message: error.message, code: error.code ?? error.cause?.code, isTypeError: error instanceof TypeError, stack: error.stack,
  }));
  const spawned = await double.spawn(21);
  const hanging = await hang.spawn();
  await hanging.cancel();
  return {
    results,
    python: await sum.remote(1, 2),
    method: await counter.add.remote(5),
    typeError: await caught(() => fails.remote({ name: "luck" })),
    keyError: await caught(() => sum.remote(-1, 2)),
    found: await Call.fromId(spawned.id).get(),
    cancelled: await caught(() => hanging.get()),
    bytes: [...new TextEncoder().encode("é")],
  };
}
`;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "lamina-home-"));
  directory = await mkdtemp(path.join(tmpdir(), "lamina-user-"));
  for (const [name, text] of Object.entries({ "numbers.ts": NUMBERS, "adding.py": ADDING, "main.ts": MAIN })) await write(name, text);
});
afterAll(async () => {
  await lamina("down");
  await rm(home, { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
});

function write(name: string, text: string): Promise<void> {
  return writeFile(path.join(directory, name), text);
}

const options = () => ({ env: { LAMINA_HOME: home }, cwd: directory });

function lamina(...args: readonly string[]) {
  return cli(args, options());
}

test("run calls a function: its logs on stderr, its result alone on stdout", async () => {
  const outcome = await lamina("run", "numbers.ts::double", "21");
  expect(outcome).toMatchObject({ exitCode: 0, stdout: "42", stderr: expect.stringContaining("doubling 21") });
  expect(await lamina("run", "numbers.ts::letters", "3")).toMatchObject({ exitCode: 0, stdout: "AAA" });
  expect(await lamina("run", "numbers.ts::Counter.add", "5")).toMatchObject({ exitCode: 0, stdout: "105" });
  expect(await lamina("run", "numbers.ts::sum", "[3, 4]")).toMatchObject({
    exitCode: 0,
    stdout: "7",
    stderr: expect.stringContaining("adding"),
  });
  const lines = jsonLines(await lamina("run", "numbers.ts::sum", "--a", "3", "--b", "4", "--json"));
  expect(lines.at(-1)).toEqual({ type: "result", value: 7 });
  expect(lines).toContainEqual(expect.objectContaining({ type: "log", lines: ["adding"] }));
});

test("run of a function that throws is exit code 1, with its class, message and stack", async () => {
  const outcome = await lamina("run", "numbers.ts::fails", "--input", '{"name":"luck"}');
  expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
  expect(outcome.stderr).toContain("CALL_FAILED: TypeError: no luck");
  expect(outcome.stderr).toMatch(/numbers\.ts:10:\d+/);
  expect(outcome.stderr).not.toMatch(/packages\/sdk|harness/);
});

test("run takes arguments by the names of the handler's parameters, and says which there are", async () => {
  const run = (name: string, ...args: string[]) => lamina("run", `numbers.ts::${name}`, ...args);
  expect(await run("greet", "--max-words", "7", "--name", "abc")).toMatchObject({ exitCode: 0, stdout: '["hello","abc",7]' });
  expect(await run("greet", "abc", "--maxWords", "7", "--greeting=hi")).toMatchObject({ exitCode: 0, stdout: '["hi","abc",7]' });
  expect(await run("order", "--item", "tea")).toMatchObject({ exitCode: 0, stdout: '["tea",1]' });
  expect(await run("order", '{"item":"tea","count":2}')).toMatchObject({ exitCode: 0, stdout: '["tea",2]' });
  expect(await run("Counter.add", "--amount", "5")).toMatchObject({ exitCode: 0, stdout: "105" });
  for (const [name, args, told] of [
    ["greet", ["--nmae", "abc"], "no parameter --nmae. It has: --name, --maxWords, --greeting."],
    ["greet", ["--name", "abc", "--greeting", "hi"], "maxWords comes before greeting: give --maxWords too."],
    ["greet", ["abc", "--name", "abc"], "name is given twice"],
    ["order", ["--items", "tea"], "no parameter --items. It has: --item, --count."],
    ["order", ["{}", "--item", "tea"], "takes one object"],
    ["hang", ["--seconds", "1"], "no parameters"],
    ["all", ["--values", "1"], "Give values in order"],
  ] as const) {
    expect(await run(name, ...args)).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(told) });
  }
});

test("run of a file that has several functions names them, and one without its function too", async () => {
  expect(await lamina("run", "numbers.ts")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("numbers.ts::Counter.add") });
  expect(await lamina("run", "numbers.ts::none")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('no function "none"') });
});

test("an entry point calls functions in both languages by the SDK: map, spawn, classes, exceptions; what they write is told", async () => {
  const { stdout, stderr, exitCode } = await lamina("run", "main.ts");
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const doubled = stderr.split("\n").flatMap((line) => /^doubling (\d+)$/.exec(line)?.[1] ?? []);
  expect(doubled.map(Number).toSorted((a, b) => a - b)).toEqual([...Array(200).keys(), 21].toSorted((a, b) => a - b));
  expect(JSON.parse(stdout)).toEqual({
    results: Array.from({ length: 200 }, (_, index) => index * 2),
    python: 3,
    method: 105,
    typeError: expect.objectContaining({ name: "TypeError", message: "no luck", code: "CALL_FAILED", isTypeError: true }),
    keyError: expect.objectContaining({
      name: "KeyError",
      code: "CALL_FAILED",
      stack: expect.stringMatching(/adding\.py[^]*called from here[^]*main\.ts/),
    }),
    found: 42,
    cancelled: expect.objectContaining({ code: "CANCELLED" }),
    bytes: [195, 169],
  });
});

/** Arguments of functions in both languages, by their names or of any size. */
const GIVEN = [
  ["greet", ["--max-words", "7", "--name", "abc"], '["hello","abc",7]'],
  ["order", ["--item", "tea"], '["tea",1]'],
  ["Counter.add", ["--amount", "5"], "105"],
  ["order", ["--item", "9007199254740993"], '[{"$lamina":"bigint","value":"9007199254740993"},1]'],
  ["sum", ["--b", "4", "--a", "3"], "7"],
  ["sum", ["9007199254740993", "1"], '{"$lamina":"bigint","value":"9007199254740994"}'],
] as const;

test("what is deployed is called by its name, listed, and logged, until it is stopped", async () => {
  expect(await lamina("call", "numbers.double", "4")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("lamina deploy") });
  const [deployed] = jsonLines(await lamina("deploy", "numbers.ts", "--json")).slice(-1);
  expect(deployed).toMatchObject({ type: "app", name: "numbers", version: 1 });
  expect(await lamina("call", "numbers.double", "4")).toMatchObject({ exitCode: 0, stdout: "8", stderr: "doubling 4" });
  expect(await lamina("call", "numbers.fails", '{"name":"x"}')).toMatchObject({ exitCode: 1 });
  const latest = ["fails", "double"];
  for (const [name, args, told] of GIVEN) {
    expect(await lamina("call", `numbers.${name}`, ...args)).toMatchObject({ exitCode: 0, stdout: told });
    latest.unshift(name.split(".")[0] ?? "");
  }
  const unknown = await lamina("call", "numbers.greet", "--nmae", "abc");
  expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("no parameter --nmae. It has: --name, --maxWords") });
  expect(jsonLines(await lamina("apps", "--json"))).toEqual([expect.objectContaining({ name: "numbers", state: "active" })]);
  const calls = jsonLines(await lamina("calls", "numbers", "--json"));
  expect(calls.map((call) => [call["function"], call["state"]])).toEqual(
    latest.map((name) => [name, name === "fails" ? "failed" : "done"]),
  );
  const id = String(calls.at(-1)?.["id"]);
  expect(await lamina("logs", "numbers")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("doubling 4") });
  expect(await lamina("logs", id)).toMatchObject({ exitCode: 0, stdout: "doubling 4" });
  expect(await lamina("logs", id.slice(-12))).toMatchObject({ exitCode: 0, stdout: "doubling 4" });

  await write("numbers.ts", NUMBERS.replace("value * 2", "value * 20"));
  const lines = jsonLines(await lamina("deploy", "numbers.ts", "--json"));
  expect(lines.map(({ type }) => type)).not.toContain("layer-started");
  expect(lines.at(-1)).toMatchObject({ type: "app", version: 2 });
  expect(await lamina("call", "numbers.double", "4")).toMatchObject({ exitCode: 0, stdout: "80" });

  expect(await lamina("cancel", id)).toMatchObject({ exitCode: 0, stdout: `Call ${id} had ended before: it was done.` });

  expect(await lamina("stop", "numbers")).toMatchObject({ exitCode: 0, stdout: "numbers is stopped." });
  expect(await lamina("call", "numbers.double", "4")).toMatchObject({ exitCode: 2 });
});

test("apps and calls show times by the clock of whoever sits at a terminal, and as they are to programs", async () => {
  const LISTED = { apps: "deployedAt", calls: "createdAt" };
  for (const [command, field] of Object.entries(LISTED)) {
    const [first] = jsonLines(await lamina(command, "--json"));
    const time = String(first?.[field]);
    expect(time).toBe(new Date(time).toISOString());
    expect((await lamina(command)).stdout).toContain(time);
    const inKolkata = new Date(Date.parse(time) + 5.5 * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
    const seat = sitAtCli([command], { env: { LAMINA_HOME: home, TZ: "Asia/Kolkata" }, cwd: directory, columns: 80, rows: 24 });
    const { exitCode, shown } = await seat.ended;
    expect({ exitCode, shown }).toEqual({ exitCode: 0, shown: expect.stringContaining(inKolkata) });
    expect(shown).not.toContain(time);
  }
});

test("cancel ends a call of another process, which ends with 130; one that is unknown is bad input, and then none is cancelled", async () => {
  const running = startCli(["run", "numbers.ts::hang", "--json"], options());
  let id = "";
  let cancelling: Promise<readonly Awaited<ReturnType<typeof lamina>>[]> | undefined;
  const cancelTwice = async () => [
    await lamina("cancel", id, "00000000-0000-7000-8000-000000000000"),
    await lamina("calls", "--limit", "1", "--json"),
    await lamina("cancel", id.slice(-12), "--json"),
  ];
  for await (const line of running) {
    const [event] = jsonLines({ stdout: line });
    if (event?.["type"] === "call") id = String(event["id"]);
    if (event?.["type"] === "log") cancelling ??= cancelTwice();
  }
  const [unknown, still, cancelled] = (await cancelling) ?? [];
  expect(unknown).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("There is no build or call") });
  expect(jsonLines(still ?? { stdout: "" })).toMatchObject([{ id, state: expect.stringMatching(/^(queued|running)$/) }]);
  expect(cancelled).toMatchObject({ exitCode: 0, stdout: JSON.stringify({ type: "call", id, state: "cancelled" }) });
  const ended = await running;
  expect(ended.exitCode).toBe(130);
  expect(jsonLines(ended).at(-1)).toMatchObject({ type: "error", code: "CANCELLED" });
});

test("Ctrl-C cancels the call, ends the app for the moment, and ends with 130", async () => {
  const running = startCli(["run", "numbers.ts::hang", "--json"], options());
  for await (const line of running) if (line.includes('"hanging"')) running.kill("SIGINT");
  expect((await running).exitCode).toBe(130);
  expect(jsonLines(await lamina("calls", "--limit", "1", "--json"))).toMatchObject([{ function: "hang", state: "cancelled" }]);
});

test("an app has logs under a name as long as names may be", async () => {
  const name = "n".repeat(63);
  await write("long.ts", NUMBERS.replace('"numbers"', JSON.stringify(name)));
  expect(await lamina("deploy", "long.ts")).toMatchObject({ exitCode: 0 });
  expect(await lamina("call", `${name}.double`, "4")).toMatchObject({ exitCode: 0, stdout: "8" });
  expect(await lamina("logs", name)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("doubling 4") });
  expect(await lamina("stop", name)).toMatchObject({ exitCode: 0 });
});
