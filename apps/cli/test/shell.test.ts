/** A terminal in containers of images and functions, as people sit at it, and pipes in its place. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { base, functionLeftovers, servers, testControlPlane, type TestPlatform, testPlatform, tinyBase } from "@lamina/testkit";
import { connect } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cli, type CliOptions, jsonLines, startCli } from "./support/cli.ts";
import { sitAtCli } from "./support/terminal.ts";

let platform: TestPlatform;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "lamina-user-"));
  const [debian, tiny] = [await base("3.13"), await tinyBase()];
  platform = await testPlatform({ uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "" });
  await mkdir(path.join(directory, "files"));
  await writeFile(path.join(directory, "files/one"), "1");
  await writeFile(
    path.join(directory, "app.ts"),
    `import { App, Image, Secret } from "lamina";
     export const image = Image.fromRegistry("${debian}").env({ GREETING: "hello" }).workdir("/srv");
     export const tiny = Image.fromRegistry("${tiny}");
     export const bare = Image.fromRegistry("scratch").copyLocalFile("files/one", "/one");
     export const app = new App("shop");
     const secrets = [Secret.fromDict({ TOKEN: "a token" })];
     export const double = app.function({ image, secrets, memory: 96 }, (value: number) => value * 2);
     export const counter = app.cls({ image }, class Counter { add() { return 1; } });`,
  );
});
afterAll(async () => {
  await platform[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});
const options = () => ({ env: { LAMINA_URL: platform.url, LAMINA_TOKEN: platform.clientToken }, cwd: directory });

function shell(args: readonly string[], more: Pick<CliOptions, "input"> = {}) {
  return cli(["shell", ...args], { ...options(), ...more });
}

function sitAt(...args: readonly string[]) {
  return sitAtCli(["shell", ...args], { ...options(), columns: 101, rows: 31 });
}

/** As terminals are for those who type a line at a time. */
const USUAL = ["icanon", "echo", "isig", "opost", "icrnl"];

describe("at a terminal", () => {
  test("the one inside has its size and follows it, Ctrl-C is for what runs there, and the exit code is the shell's", async () => {
    const seat = sitAt("app.ts::image");
    seat.type("tty; echo size=$(stty size)= $GREETING in $PWD, $TERM\r");
    await seat.see("/dev/pts/0");
    await seat.see("size=31 101= hello in /srv, xterm-256color");
    seat.resize(77, 22);
    seat.type("until [ \"$(stty size)\" = '22 77' ]; do :; done; echo it is sm''all now\r");
    await seat.see("it is small now");
    seat.type('echo be""gun; sleep 600\r');
    await seat.see("begun");
    seat.type("\u0003");
    await seat.see("^C");
    seat.type("echo ended: $?\r");
    await seat.see("ended: 130");
    seat.type("exit 7\r");
    expect(await seat.ended).toMatchObject({ exitCode: 7, settings: expect.arrayContaining(USUAL) });
  });

  test("bytes are what they were: a program that sets its terminal for itself gets every key and draws as it likes", async () => {
    const seat = sitAt("app.ts::image");
    seat.type("stty raw -echo; echo rea''dy; head -c 6 | od -An -tx1; printf 'a\\nb'; stty sane; PS1='ne''xt> '\r");
    await seat.see("ready");
    seat.type("\u0003\u0004\r\n\u00e9");
    await seat.see("03 04 0d 0a c3 a9");
    // The line feed alone, without a return that somebody on the way has added.
    await seat.see("a\nb");
    // Where the shell has set the terminal for itself: before that, the terminal would take the end of input for its own.
    await seat.see("next> ");
    seat.type("\u0004");
    expect(await seat.ended).toMatchObject({ exitCode: 0 });
  });

  test("much output comes whole and in order", async () => {
    const seat = sitAt("app.ts::image", "-c", "seq 1 200000 | sed 's/$/,/'");
    const { exitCode, shown } = await seat.ended;
    expect(exitCode).toBe(0);
    const numbers = [...shown.matchAll(/(\d+),\r\n/g)].map(([, number]) => Number(number));
    expect(numbers).toEqual(Array.from({ length: 200_000 }, (_, index) => index + 1));
  });

  test("a program in place of the shell has it too, and one that is not there is as a shell says it", async () => {
    const python = sitAt("app.ts::image", "--", "python3", "-c", "import os, sys; print(os.get_terminal_size(), sys.stdin.isatty())");
    await python.see("os.terminal_size(columns=101, lines=31) True");
    expect(await python.ended).toMatchObject({ exitCode: 0 });
    expect(await sitAt("app.ts::image", "--", "no-such-program").ended).toMatchObject({
      exitCode: 127,
      shown: expect.stringContaining("no-such-program: not found"),
    });
  });

  test("what runs there has the rights of a function's container", async () => {
    const seat = sitAt(
      "app.ts::image",
      "-c",
      "grep -E 'NoNewPrivs|CapEff|Seccomp:' /proc/self/status; cat /proc/net/dev; mount -t tmpfs x /mnt",
    );
    const { shown } = await seat.ended;
    expect(shown).toMatch(/CapEff:\t00000000000005fb/);
    expect(shown).toMatch(/NoNewPrivs:\t1/);
    expect(shown).toMatch(/Seccomp:\t2/);
    expect(shown).toMatch(/tap0:/);
    expect(shown).toMatch(/mount: .*permission denied|must be superuser|not permitted/);
  });

  test("a signal that ends the command line ends the shell, and the terminal is as before", async () => {
    for (const signal of ["SIGTERM", "SIGHUP"] as const) {
      const seat = sitAt("app.ts::image");
      seat.type("echo rea''dy\r");
      await seat.see("ready");
      await seat.signal(signal);
      expect(await seat.ended).toMatchObject({ exitCode: 130, settings: expect.arrayContaining(USUAL) });
    }
  });
});

describe("without a terminal", () => {
  test("what comes over a pipe is the shell's input, and its output comes apart", async () => {
    const outcome = await shell(["app.ts::tiny"], { input: "echo out; echo err >&2; exit 3\n" });
    expect(outcome).toMatchObject({ exitCode: 3, stdout: "out", stderr: expect.stringMatching(/(^|\n)err$/) });
    expect(await shell(["app.ts::image"], { input: "tty; echo $BASH_VERSION" })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^not a tty\n5\./),
    });
  });

  test("a line for the shell, and a program with its arguments, take its place", async () => {
    expect(await shell(["app.ts::tiny", "--command", 'echo "$0" $((1 + 1))'])).toMatchObject({ exitCode: 0, stdout: "sh 2" });
    expect(await shell(["app.ts::image", "-c", 'echo "$0" ${BASH_VERSION%%.*}'])).toMatchObject({ exitCode: 0, stdout: "bash 5" });
    expect(await shell(["app.ts::image", "--", "printf", "<%s>", "a b", "-c"])).toMatchObject({ exitCode: 0, stdout: "<a b><-c>" });
    expect(await shell(["app.ts::image", "--", "no-such-program"])).toMatchObject({
      exitCode: 127,
      stderr: expect.stringContaining("no-such-program: command not found"),
    });
  });

  test("megabytes go in and come out", async () => {
    const input = "0123456789abcdef".repeat(400_000);
    const outcome = await shell(["app.ts::tiny", "--", "cat"], { input });
    expect(outcome.exitCode).toBe(0);
    expect(outcome.stdout === input).toBe(true);
  });

  test("with JSON each event is a line, and an error another", async () => {
    const lines = jsonLines(await shell(["app.ts::tiny", "--json", "-c", "echo hi; exit 4"]));
    expect(lines.slice(-3)).toEqual([
      { type: "shell-started", runner: "runner" },
      { type: "shell-output", stream: "stdout", data: Buffer.from("hi\n").toString("base64") },
      { type: "shell-exited", exitCode: 4 },
    ]);
    expect(jsonLines(await shell(["no.such", "--json"])).at(-1)).toMatchObject({ type: "error", code: "NOT_FOUND" });
  });

  test("Ctrl-C ends it with 130", async () => {
    const running = startCli(["shell", "app.ts::tiny", "-c", "echo begun; sleep 600"], options());
    for await (const line of running) if (line === "begun") running.kill("SIGINT");
    expect((await running).exitCode).toBe(130);
  });
});

test("an image without a shell is an error of its own, and its programs can be named", async () => {
  const none = { exitCode: 2, stderr: expect.stringMatching(/SHELL_MISSING: .*neither bash nor sh.*-- PROGRAM/) };
  expect(await shell(["app.ts::bare"])).toMatchObject(none);
  expect(await shell(["app.ts::bare", "-c", "ls"])).toMatchObject(none);
  expect(await sitAt("app.ts::bare").ended).toMatchObject({ exitCode: 2, settings: expect.arrayContaining(USUAL) });
  expect(await shell(["app.ts::bare", "--", "/two"])).toMatchObject({
    exitCode: 127,
    stderr: expect.stringContaining("/two: no such file"),
  });
});

test("an image is named as exec names it, too", async () => {
  const built = jsonLines(await cli(["build", "app.ts#tiny", "--json"], options())).at(-1);
  for (const name of [String(built?.["id"]), String(built?.["id"]).slice(0, 10), String(built?.["ref"]), "app.ts#tiny"]) {
    expect(await shell([name, "-c", "echo here"])).toMatchObject({ exitCode: 0, stdout: "here" });
  }
  expect(await shell(["app.ts", "-c", "true"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("app.ts#image") });
  expect(await shell(["app.py::greet"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("`lamina deploy app.py`, and then `lamina shell APP.greet`"),
  });
});

describe("of a function", () => {
  const LOOK = 'echo "$TOKEN, $GREETING"; ls /lamina/code';
  const SEEN = { exitCode: 0, stdout: "a token, hello\nbundle.mjs" };

  test("of a file: its code and its secrets are there, in an app for the moment", async () => {
    expect(await shell(["app.ts::double", "-c", LOOK])).toMatchObject(SEEN);
    expect(await shell(["app.ts::Counter.add", "-c", "echo $PWD"])).toMatchObject({ stdout: "/srv" });
    expect(jsonLines(await cli(["apps", "--json"], options()))).toEqual([]);
  });

  test("that is deployed: the same, until its app is stopped", async () => {
    expect((await cli(["deploy", "app.ts"], options())).exitCode).toBe(0);
    expect(await shell(["shop.double", "-c", LOOK])).toMatchObject(SEEN);
    expect(await shell(["shop.Counter", "-c", "echo $GREETING"])).toMatchObject({ exitCode: 0, stdout: "hello" });
    expect(await shell(["shop.triple"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("Deployed are shop.Counter, shop.double"),
    });
    expect((await cli(["stop", "shop"], options())).exitCode).toBe(0);
    expect(await shell(["shop.double"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("NOT_FOUND") });
  });

  test("what has more memory than that is ended, and it is said why", async () => {
    const { exitCode, stderr } = await shell(["app.ts::double", "-c", "head -c 500000000 /dev/zero | tail -c 400000000 | wc -c; exit 5"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 5, stderr: expect.stringContaining("more memory than the 96 MiB") });
  });
});

test("nobody of another workspace gets to a shell, whoever knows its id", async () => {
  const client = await connect({ url: platform.url, token: platform.clientToken });
  const [image] = await client.images.list();
  const id = await client.shells.open({
    of: { kind: "image", image: image?.id ?? "" },
    command: { kind: "program", arguments: ["sleep", "600"] },
  });
  const environment = { LAMINA_NAMESPACE: platform.namespace, LAMINA_WORKSPACE: "another" };
  await using other = await testControlPlane({ environment });
  const stranger = await connect({ url: other.url, token: other.token });
  const refused = { code: "SHELL_LOST" };
  await Promise.all([
    expect(stranger.shells.write({ id, number: 1, data: "", isEnd: false })).rejects.toMatchObject(refused),
    expect(stranger.shells.follow(id).next()).rejects.toMatchObject(refused),
  ]);
  await stranger.shells.close(id);
  const events = client.shells.follow(id);
  expect(await events.next()).toMatchObject({ value: { type: "shell-preparing" } });
  expect(await events.next()).toMatchObject({ value: { type: "shell-started" } });
  await expect((await connect({ url: platform.url, token: "a token of nobody" })).shells.close(id)).rejects.toMatchObject({
    code: "UNAUTHORIZED",
  });
  await expect((await connect({ url: platform.url, token: platform.workerToken })).shells.close(id)).rejects.toMatchObject({
    code: "FORBIDDEN",
  });
  await client.shells.close(id);
});

test("nothing is left of any of these", async () => {
  await expect.poll(async () => functionLeftovers(platform, await servers())).toEqual([]);
});
