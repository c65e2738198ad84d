/** The embedded platform as a user has it: one for this file, in a home of its own. */
import { readFile, readdir, rm, mkdtemp, stat, writeFile } from "node:fs/promises";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gpuStandIn, smallDisk } from "@lamina/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { cli, jsonLines, startCli } from "./support/cli.ts";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "lamina-home-"));
  await gpuStandIn({ directory: home, className: "T4" });
  const first = await lamina("up");
  if (first.exitCode !== 0) throw new Error(`lamina up ended with ${first.exitCode}\n${first.stderr}`);
});
afterAll(async () => {
  await lamina("down");
  await rm(home, { recursive: true, force: true });
});

function lamina(...args: readonly string[]) {
  return cli(args, { env: { LAMINA_HOME: home }, cwd: home });
}

const Platform = z.object({ url: z.string(), pid: z.number() });

async function platform() {
  return Platform.parse(JSON.parse(await readFile(path.join(home, "platform.json"), "utf8")));
}

/** Processes of which an argument, the environment or the working directory names the home. */
function processesOf(directory: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && mentions(pid, directory));
}

function mentions(pid: number, text: string): boolean {
  try {
    const parts = ["cmdline", "environ", "mountinfo"].map((file) => readFileSync(`/proc/${pid}/${file}`, "utf8"));
    // A zombie has ended and waits for its parent.
    return parts.some((part) => part.includes(text)) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("a second up finds the first, and so do two at once", async () => {
  const before = await platform();
  const outcomes = await Promise.all([lamina("up", "--json"), lamina("up", "--json")]);
  expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  for (const outcome of outcomes) expect(jsonLines(outcome).at(-1)).toMatchObject({ type: "platform", ...before });
});

test("an address where another platform listens is refused, and none is said to be up there", async () => {
  const { url } = await platform();
  const env = { LAMINA_HOME: path.join(home, "another"), LAMINA_LISTEN: new URL(url).host };
  const outcome = await cli(["up"], { env });
  expect(outcome.exitCode).toBe(3);
  expect(outcome.stderr).toContain(`LAMINA_LISTEN names ${env.LAMINA_LISTEN}, where another program listens already`);
  expect((await cli(["status"], { env })).exitCode).toBe(3);
});

test("what is in the home is for its user only, and status and doctor find all parts well", async () => {
  expect((await stat(home)).mode & 0o077).toBe(0);
  for (const file of ["platform.json", "control-plane.json", "settings.json", "supervisor.json"]) {
    expect((await stat(path.join(home, file))).mode & 0o777).toBe(0o600);
  }
  for (const file of await readdir(path.join(home, "logs"))) expect((await stat(path.join(home, "logs", file))).mode & 0o777).toBe(0o600);

  const status = await lamina("status", "--json");
  expect(status.exitCode).toBe(0);
  const names = [
    "builder",
    "builder-t4",
    "buildkitd",
    "containerd",
    "control-plane",
    "nats",
    "postgres",
    "registry",
    "runner",
    "runner-t4",
  ];
  expect(jsonLines(status)[0]).toMatchObject({ state: "up", processes: names.map((name) => ({ name })) });

  // The GPUs that it finds described are a pool.
  expect((await lamina("status")).stdout).toMatch(/\nbuilder-t4 +builder +T4, 2 GPUs\nbuilder +builder +cpu\n/);

  const doctor = await lamina("doctor", "--json");
  const builders = jsonLines(doctor).find(({ name }) => name === "builder");
  expect(builders).toMatchObject({ detail: "builder-t4 (pool T4, 2 GPUs), builder (pool cpu)" });
  expect(jsonLines(doctor).filter(({ state }) => state === "broken")).toEqual([]);
  expect(doctor.exitCode).toBe(0);
});

test("a secret is set from stdin and from the environment, listed without its value, and removed", async () => {
  const env = { LAMINA_HOME: home, FROM_ENVIRONMENT: "hunter2" };
  expect((await cli(["secret", "set", "typed"], { env, input: "A=1\nB='two words'\n" })).exitCode).toBe(0);
  expect((await cli(["secret", "set", "taken", "FROM_ENVIRONMENT"], { env })).exitCode).toBe(0);
  const listed = await lamina("secret", "list", "--json");
  expect(jsonLines(listed)).toMatchObject([
    { type: "secret", name: "taken", variables: ["FROM_ENVIRONMENT"] },
    { type: "secret", name: "typed", variables: ["A", "B"] },
  ]);
  expect(listed.stdout).not.toContain("hunter2");
  expect((await lamina("secret", "rm", "typed")).exitCode).toBe(0);
  expect((await lamina("secret", "rm", "typed")).exitCode).toBe(2);
});

test("a supervisor that was killed is replaced, and what it left behind is gone", async () => {
  const before = await platform();
  const left = processesOf(home);
  process.kill(before.pid, "SIGKILL");
  expect((await lamina("up")).exitCode).toBe(0);
  const after = await platform();
  expect(after.pid).not.toBe(before.pid);
  expect(left.filter((pid) => processesOf(home).includes(pid))).toEqual([]);
  expect((await lamina("status")).exitCode).toBe(0);
});

test("two that start it at once start one", async () => {
  await lamina("down");
  const outcomes = await Promise.all([lamina("up", "--json"), lamina("up", "--json")]);
  expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  const { pid } = await platform();
  for (const outcome of outcomes) expect(jsonLines(outcome).at(-1)).toMatchObject({ pid });
});

test("what cannot start is named, with the end of its log, and nothing is left running", async () => {
  const other = await mkdtemp(path.join(tmpdir(), "lamina-home-"));
  const env = { LAMINA_HOME: other, LAMINA_DATABASE_URL: "postgres://nobody:wrong@127.0.0.1:9/none" };
  try {
    const outcome = await cli(["up", "--json"], { env });
    expect(outcome.exitCode).toBe(3);
    expect(jsonLines(outcome)).toEqual([
      expect.objectContaining({
        type: "error",
        code: "UNREACHABLE",
        message: expect.stringContaining("control-plane"),
        lastLines: expect.any(Array),
      }),
    ]);
    expect(processesOf(other)).toEqual([]);
  } finally {
    await cli(["down"], { env });
    await rm(other, { recursive: true, force: true });
  }
});

test("what stays in the background does not hold output open", async () => {
  await lamina("down");
  const started = startCli(["up"], { env: { LAMINA_HOME: home } });
  // Resolves only when both streams have been closed by everybody.
  expect((await started).exitCode).toBe(0);
  expect(processesOf(home).length).toBeGreaterThan(0);
});

test("down ends what a supervisor that was killed left behind", async () => {
  process.kill((await platform()).pid, "SIGKILL");
  expect(await lamina("down")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("is down") });
  expect(processesOf(home)).toEqual([]);
  expect((await lamina("up")).exitCode).toBe(0);
});

test("down ends everything: processes, mounts, sockets, records", async () => {
  expect((await lamina("down")).exitCode).toBe(0);
  expect(processesOf(home)).toEqual([]);
  expect(readFileSync("/proc/mounts", "utf8")).not.toContain(home);
  expect(existsSync(path.join(home, "platform.json"))).toBe(false);
  expect((await lamina("status", "--json")).exitCode).toBe(3);
  expect(await lamina("down")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("was not up") });
});

test.skipIf(process.getuid?.() !== 0)("a platform whose disk is full can be stopped, and leaves nothing running", async () => {
  await using disk = await smallDisk(400);
  const env = { LAMINA_HOME: disk.path };
  expect((await cli(["up"], { env })).exitCode).toBe(0);
  await expect(writeFile(path.join(disk.path, "filler"), new Uint8Array(400 * 1024 * 1024))).rejects.toMatchObject({ code: "ENOSPC" });
  expect(await cli(["down"], { env })).toMatchObject({ exitCode: 0, stdout: "The platform is down." });
  expect((await cli(["status"], { env })).exitCode).toBe(3);
  // That it can be unmounted then says that nothing runs there.
});
