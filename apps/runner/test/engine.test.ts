import { createHash } from "node:crypto";
import { base, servers } from "@lamina/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { containerdEngine } from "../src/engine/containerd.ts";
import { collector, testEngine, type TestEngine } from "./support/engine.ts";
import { imageWith } from "./support/images.ts";

const never = new AbortController().signal;

let here: TestEngine;
let image: string;
beforeAll(async () => {
  image = await base("3.13");
  here = await testEngine();
  await here.engine.pull(image, never);
});
afterAll(() => here[Symbol.asyncDispose]());

async function run(command: readonly string[], from = image) {
  const { onOutput, output } = collector();
  const exitCode = await here.engine.run({ image: from, command, onOutput, signal: never });
  return { exitCode, ...output() };
}

describe("a command", () => {
  test("gives its output, stdout and stderr apart, and its exit code", async () => {
    expect(await run(["sh", "-c", "echo out; echo err >&2; exit 7"])).toEqual({ exitCode: 7, stdout: "out\n", stderr: "err\n" });
  });

  test("gives raw bytes, and all of many", async () => {
    const program = "import sys; [sys.stdout.buffer.write(bytes(range(256)) * 4096) for _ in range(8)]";
    const { stdout } = await run(["python3", "-c", program]);
    const expected = Buffer.alloc(8 * 1024 * 1024, Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
    expect(sha256(Buffer.from(stdout, "latin1"))).toBe(sha256(expected));
  });

  test("gives its output as it comes", async () => {
    const { onOutput, said } = collector();
    const stop = new AbortController();
    const running = here.engine.run({
      image,
      command: ["sh", "-c", "trap 'exit 0' TERM; echo here; sleep 600 & wait"],
      onOutput,
      signal: stop.signal,
    });
    await said("here\n");
    stop.abort(new Error("seen enough"));
    await expect(running).rejects.toThrow("seen enough");
  });

  test.each([
    { command: ["sh", "-c", "exit 1"], exitCode: 1 },
    { command: ["sh", "-c", "echo 'ctr: not a failure of ours' >&2; exit 1"], exitCode: 1 },
    { command: ["sh", "-c", "sh -c 'kill -9 $$'"], exitCode: 137 },
    { command: ["sh", "-c", "sh -c 'kill -15 $$'"], exitCode: 143 },
    { command: ["true"], exitCode: 0 },
    { command: ["false"], exitCode: 1 },
    { command: ["sh", "-c", "exit 255"], exitCode: 255 },
  ])("has its own exit code: $command gives $exitCode", async ({ command, exitCode }) => {
    expect((await run(command)).exitCode).toBe(exitCode);
  });

  test.each([
    {
      command: ["no-such-command"],
      exitCode: 127,
      stderr: "no-such-command: command not found: it is in no directory of the image's PATH\n",
    },
    { command: ["/no/such/file"], exitCode: 127, stderr: "/no/such/file: no such file in the image\n" },
    { command: ["/etc/passwd"], exitCode: 126, stderr: "/etc/passwd: cannot be executed: permission denied\n" },
  ])("that cannot be started says why: $command", async ({ command, ...expected }) => {
    expect(await run(command)).toEqual({ ...expected, stdout: "" });
  });

  test("gets its arguments as they are", async () => {
    const command = ["printf", "%s|", "--help", "-t", "$HOME", "a b", "", "'\"\\", "ä"];
    expect(Buffer.from((await run(command)).stdout, "latin1").toString()).toBe("--help|-t|$HOME|a b||'\"\\|ä|");
  });

  test("is what was asked for, also when it begins with dashes", async () => {
    expect(await run(["--", "true"])).toMatchObject({ exitCode: 127, stderr: expect.stringMatching(/^--: command not found/) });
  });

  test("has no input and no terminal", async () => {
    expect(await run(["sh", "-c", "cat; test -t 0 || test -t 1 || echo none"])).toMatchObject({ exitCode: 0, stdout: "none\n" });
  });

  test("has the environment, working directory and user of the image, and not its entry point", async () => {
    const from = await imageWith({
      Env: ["PATH=/usr/bin:/bin", "GREETING=hello = world"],
      User: "nobody",
      WorkingDir: "/var/lib",
      Entrypoint: ["false"],
    });
    await here.engine.pull(from, never);
    const { stdout } = await run(["sh", "-c", 'echo "$GREETING|$(pwd)|$(id -un)"'], from);
    expect(stdout).toBe("hello = world|/var/lib|nobody\n");
  });

  test("has no more privileges than containerd gives by default", async () => {
    const { stdout } = await run(["cat", "/proc/self/status"]);
    expect(stdout).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(stdout).toMatch(/^Seccomp:\s+2$/m);
    expect(stdout).toMatch(/^CapEff:\s+00000000a80425fb$/m);
  });

  test("cannot change the image for the next one", async () => {
    await run(["sh", "-c", "echo changed > /etc/hostname; rm -rf /usr/share"]);
    expect((await run(["sh", "-c", "cat /etc/hostname; ls -d /usr/share"])).stdout).not.toContain("changed");
    expect((await run(["ls", "-d", "/usr/share"])).stdout).toBe("/usr/share\n");
  });

  test("leaves no container, and no file of ours", async () => {
    await run(["true"]);
    await run(["no-such-command"]);
    expect(await here.containers()).toEqual([]);
  });
});

describe("stopping a command", () => {
  test("lets it end by SIGTERM", async () => {
    const { onOutput, said, output } = collector();
    const stop = new AbortController();
    const command = ["sh", "-c", "trap 'echo bye; exit 0' TERM; echo here; while :; do sleep 0.05; done"];
    const running = here.engine.run({ image, command, onOutput, signal: stop.signal });
    await said("here\n");
    const reason = new Error("not wanted any more");
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(output().stdout).toBe("here\nbye\n");
    expect(await here.containers()).toEqual([]);
  });

  test("kills it when it does not", async () => {
    const { onOutput, said } = collector();
    const stop = new AbortController();
    const running = here.engine.run({
      image,
      command: ["sh", "-c", "trap '' TERM; echo here; while :; do sleep 1; done"],
      onOutput,
      signal: stop.signal,
    });
    await said("here\n");
    stop.abort(new Error("not wanted any more"));
    await expect(running).rejects.toThrow("not wanted any more");
    expect(await here.containers()).toEqual([]);
  });
});

describe("an image", () => {
  test("that is not in the registry cannot be pulled, and the error says so", async () => {
    const missing = `${image.slice(0, image.indexOf("@"))}@sha256:${"0".repeat(64)}`;
    await expect(here.engine.pull(missing, never)).rejects.toMatchObject({
      code: "REGISTRY_UNAVAILABLE",
      message: expect.stringContaining("not found"),
    });
  });

  test("is not pulled with wrong credentials, which the error does not show", async () => {
    await using other = await testEngine({ password: "wrong-and-secret" });
    const from = await imageWith({ Env: [`UNIQUE=${other.owner}`] });
    const error = await other.engine.pull(from, never).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
    expect(String(error)).not.toContain("wrong-and-secret");
    expect(String(error)).not.toContain(Buffer.from("wrong-and-secret").toString("base64"));
  });

  test("with a user that it does not have cannot be run, and the error says so", async () => {
    const from = await imageWith({ User: "nobody-of-that-name" });
    await here.engine.pull(from, never);
    await expect(run(["true"], from)).rejects.toMatchObject({ code: "RUN_FAILED", message: expect.stringContaining("user") });
    expect(await here.containers()).toEqual([]);
  });
});

describe("a runner that died", () => {
  test("has its containers removed by the next one, and nobody else's", async () => {
    await using dead = await testEngine();
    await using next = await testEngine({ owner: dead.owner });
    await using stranger = await testEngine();
    for (const { ctr, owner } of [dead, stranger]) {
      await ctr([
        "run",
        "--detach",
        "--null-io",
        "--label",
        `lamina.runner=${owner}`,
        image,
        `lamina-left-by-${owner.replace("/", "-")}`,
        "sleep",
        "600",
      ]);
    }

    await next.engine.removeLeftovers();

    expect(await dead.containers()).toEqual([]);
    expect(await stranger.containers()).toHaveLength(1);
  });
});

test("an engine without containerd says so", async () => {
  const { binaries } = await servers();
  const engine = containerdEngine({
    program: `${binaries}/ctr`,
    address: "/nowhere/containerd.sock",
    environment: {},
    hosts: "/nowhere",
    pipes: "/nowhere",
    owner: "x",
    onLeftover: () => undefined,
  });
  await expect(engine.ping()).rejects.toMatchObject({ code: "RUN_FAILED", message: expect.stringContaining("/nowhere/containerd.sock") });
});

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
