/** What scripts rely on: exit codes, JSON and output of the commands, against the embedded platform. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { freezeServer } from "@lamina/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, jsonLines, startCli } from "./support/cli.ts";

let home: string;
let directory: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "lamina-home-"));
  directory = await mkdtemp(path.join(tmpdir(), "lamina-user-"));
});
afterAll(async () => {
  await lamina("down");
  await rm(home, { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
});

const options = () => ({ env: { LAMINA_HOME: home }, cwd: directory });

function lamina(...args: readonly string[]) {
  return cli(args, options());
}

async function write(name: string, steps: string): Promise<void> {
  await writeFile(path.join(directory, name), `import { Image } from "lamina";\nexport const image = Image.debianSlim()\n${steps};\n`);
}

const BUILT = {
  operation: expect.any(String),
  seconds: expect.any(Number),
  bytes: expect.any(Number),
  id: expect.stringMatching(/^[0-9a-f]{64}$/),
};

test("build starts the platform, tells events and then the image; the second time all is a hit", async () => {
  await write("image.ts", '  .env({ GREETING: "hello" })\n  .runCommands("echo made")');
  const first = await lamina("build", "image.ts", "--json");
  expect(first.exitCode).toBe(0);
  const lines = jsonLines(first);
  expect(lines.map(({ type }) => type)).toEqual(
    expect.arrayContaining(["build", "planned", "layer-started", "log", "layer-built", "done"]),
  );
  expect(lines.at(-1)).toEqual({
    type: "image",
    name: "image",
    id: BUILT.id,
    ref: expect.stringMatching(/^127\.0\.0\.1:\d+\/.+@sha256:[0-9a-f]{64}$/),
    layers: [
      { ...BUILT, operation: "debianSlim", status: "hit" },
      { ...BUILT, operation: "env", status: "built" },
      { ...BUILT, operation: "runCommands", status: "built" },
    ],
  });
  // What the feed said before is enough: each layer that was made is published before the build is told to be done.
  const types = lines.map(({ type }) => type);
  expect(types.slice(0, types.indexOf("done")).filter((type) => type === "layer-published")).toHaveLength(2);
  const again = jsonLines(await lamina("build", "image.ts#image", "--json")).at(-1);
  expect(again).toMatchObject({
    id: lines.at(-1)?.["id"],
    ref: lines.at(-1)?.["ref"],
    layers: [{ status: "hit" }, { status: "hit" }, { status: "hit" }],
  });
});

test("when every layer is a hit, BuildKit is not asked: it may be stopped", async () => {
  const { thaw } = await freezeServer(home, "buildkitd");
  try {
    const { exitCode, stderr } = await lamina("build", "image.ts");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining("3 hit, 0 built") });
  } finally {
    thaw();
  }
});

test("without JSON the reference is all that stdout gets", async () => {
  const { stdout, stderr } = await lamina("build", "image.ts");
  expect(stdout).toMatch(/^image 127\.0\.0\.1:\d+\/.+@sha256:[0-9a-f]{64}$/);
  expect(stderr).toContain("[2 runCommands]");
});

test("plan says what would be made, and makes nothing", async () => {
  await write("planned.ts", '  .env({ GREETING: "hello" })\n  .runCommands("echo planned")');
  for (const _ of [1, 2]) {
    const outcome = await lamina("plan", "planned.ts", "--json");
    expect(outcome.exitCode).toBe(0);
    expect(jsonLines(outcome)).toMatchObject([
      {
        type: "plan",
        name: "image",
        base: expect.stringMatching(/.+@sha256:[0-9a-f]{64}$/),
        layers: [{ status: "hit" }, { status: "hit" }, { status: "missing" }],
      },
    ]);
  }
});

test("a build that fails is exit code 1, with layer, command, its exit code, last lines, and the user's line", async () => {
  await write("failing.ts", '  .env({ A: "1" })\n  .runCommands("echo so far", "exit 7")');
  const outcome = await lamina("build", "failing.ts", "--json");
  expect(outcome.exitCode).toBe(1);
  const [image, error] = jsonLines(outcome).slice(-2);
  expect(image).toMatchObject({ type: "image", ref: null, layers: [{ status: "hit" }, { status: "built" }, { status: "failed" }] });
  expect(error).toMatchObject({
    type: "error",
    code: "STEP_FAILED",
    layer: BUILT.id,
    command: "exit 7",
    exitCode: 7,
    lastLines: expect.arrayContaining(["so far"]),
    source: { file: path.join(directory, "failing.ts"), line: 4, column: 4 },
  });
});

test("Ctrl-C cancels the build on the platform and ends with 130", async () => {
  await write("slow.ts", '  .runCommands("echo begun; sleep 600")');
  const running = startCli(["build", "slow.ts", "--json"], options());
  for await (const line of running) if (line.includes('"begun"')) running.kill("SIGINT");
  expect((await running).exitCode).toBe(130);
  const [latest] = jsonLines(await lamina("builds", "--json"));
  expect(latest).toMatchObject({ type: "build", state: "cancelled" });
});

test("cancel ends a build of another process, which ends with 130; of one that has ended it says how, and one that is not there is bad input", async () => {
  await write("slower.ts", '  .runCommands("echo begun; sleep 601")');
  const running = startCli(["build", "slower.ts", "--json"], options());
  let id = "";
  let cancelling: ReturnType<typeof lamina> | undefined;
  for await (const line of running) {
    const [event] = jsonLines({ stdout: line });
    if (event?.["type"] === "build") id = String(event["build"]);
    if (event?.["line"] === "begun") cancelling = lamina("cancel", id, "--json");
  }
  expect(await cancelling).toMatchObject({ exitCode: 0, stdout: JSON.stringify({ type: "build", id, state: "cancelled" }) });
  const cancelled = await running;
  expect(cancelled.exitCode).toBe(130);
  expect(jsonLines(cancelled).at(-1)).toMatchObject({ type: "error", code: "CANCELLED" });
  const all = jsonLines(await lamina("builds", "--json"));
  expect(all.find((one) => one["id"] === id)).toMatchObject({ state: "cancelled" });

  expect(await lamina("cancel", id.slice(-12))).toMatchObject({ exitCode: 0, stdout: `Build ${id} is cancelled.` });
  const done = String(all.find(({ state }) => state === "done")?.["id"]);
  expect(await lamina("cancel", done)).toMatchObject({ exitCode: 0, stdout: `Build ${done} had ended before: it was done.` });
  for (const unknown of ["00000000-0000-7000-8000-000000000000", "no-such-build-id"]) {
    expect(await lamina("cancel", unknown)).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringContaining("There is no build"),
    });
  }
});

test("builds are listed, their logs kept, and found by the end of their id", async () => {
  const failed = jsonLines(await lamina("builds", "--json")).find(({ state }) => state === "failed");
  const id = String(failed?.["id"]);
  const logs = await lamina("logs", id.slice(-12));
  expect(logs.exitCode).toBe(0);
  expect(logs.stdout).toContain("so far");
  expect((await lamina("logs", "no-such-build-id")).exitCode).toBe(2);
});

test("exec gives a command's output and exit code, by id, part of an id, reference, and file", async () => {
  const [image] = jsonLines(await lamina("images", "--json"));
  const id = String(image?.["id"]);
  for (const name of [id, id.slice(0, 8), String(image?.["ref"])]) {
    const outcome = await lamina("exec", name, "--", "sh", "-c", 'echo "$GREETING"; echo problem >&2; exit 3');
    expect(outcome).toEqual({ exitCode: 3, stdout: "hello", stderr: "problem" });
  }
  await write("fresh.ts", '  .env({ GREETING: "from a file" })\n  .workdir("/srv")');
  const outcome = await lamina("exec", "fresh.ts#image", "--", "sh", "-c", 'echo "$GREETING in $PWD"');
  expect(outcome).toMatchObject({ exitCode: 0, stdout: "from a file in /srv" });
  expect((await lamina("exec", "00000000", "--", "true")).exitCode).toBe(2);
});

test("dockerfile writes what the same image is made from", async () => {
  const out = path.join(directory, "out");
  expect(await lamina("dockerfile", "image.ts", "--out", out)).toMatchObject({ exitCode: 0, stdout: out });
  expect(await lamina("dockerfile", "image.ts", "--out", directory)).toMatchObject({ exitCode: 2 });
});
