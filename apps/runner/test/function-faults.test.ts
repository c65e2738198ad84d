import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { done, type FunctionWorld, functionWorld } from "./support/function-world.ts";
import { readRunnerConfig, runRunner } from "../src/index.ts";
import { kill, spawnRunner, startRunner } from "./support/world.ts";

const FILES = {
  "main.py": `
import os, time

def mark(seconds, mark):
    print("marked", mark, flush=True)
    open("/tmp/" + mark, "w").close()
    time.sleep(seconds)
    return mark
`,
};

let here: FunctionWorld;
beforeAll(async () => {
  here = await functionWorld(FILES);
});
afterAll(() => here[Symbol.asyncDispose]());

/** The command lines of processes in which the text is. */
async function processesWith(text: string): Promise<string[]> {
  return (await commandLines()).filter(({ command }) => command.includes(text)).map(({ command }) => command);
}

async function pidsWith(program: string, text: string): Promise<number[]> {
  return (await commandLines()).filter(({ command }) => command.startsWith(program) && command.includes(text)).map(({ pid }) => pid);
}

async function commandLines(): Promise<{ pid: number; command: string }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const read = async (pid: number) => ({ pid, command: await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "") });
  const all = await Promise.all(pids.map(read));
  return all.map(({ pid, command }) => ({ pid, command: command.replaceAll("\0", " ") }));
}

/** A runner that a test stops in its middle, and that is stopped in any case. */
function stoppable(world: FunctionWorld) {
  const runner = startRunner(world);
  let stopping: PromiseLike<void> | undefined;
  const stop = () => (stopping ??= runner[Symbol.asyncDispose]());
  return { stop, [Symbol.asyncDispose]: async () => stop() };
}

test(
  "of a runner that is killed no process and no mount is left, and its calls are served by the next one",
  { timeout: 90_000 },
  async () => {
    const state = path.join(here.environment["LAMINA_STATE"] ?? "", "functions");
    const killed = spawnRunner(here);
    onTestFinished(() => void killed.kill("SIGKILL"));
    const served = here.python("mark");
    const call = await here.call(served, [2, "first"]);
    await expect.poll(() => here.lines(served, call.id)).not.toEqual([]);
    expect(await processesWith(state)).not.toEqual([]);
    await kill(killed);
    await expect.poll(() => processesWith(state)).toEqual([]);
    expect(await readFile("/proc/mounts", "utf8")).not.toContain(state);

    await using _next = startRunner(here);
    expect(await call.end).toMatchObject(done("first"));
    expect(here.functions.recorded.get(call.id)).toBe(1);
    // Of what the killed one left, nothing; of the next one's, a container and a place in reserve.
    await expect.poll(async () => (await readdir(path.join(state, "containers"))).length).toBeLessThanOrEqual(2);
  },
);

test("a runner that is stopped lets calls end, and leaves nothing", async () => {
  await using runner = stoppable(here);
  const served = here.python("mark");
  const call = await here.call(served, [1, "second"]);
  await expect.poll(() => here.lines(served, call.id)).not.toEqual([]);
  await runner.stop();
  expect(await call.end).toMatchObject(done("second"));
  const state = path.join(here.environment["LAMINA_STATE"] ?? "", "functions");
  expect(await readFile("/proc/mounts", "utf8")).not.toContain(state);
  expect(await processesWith(state)).toEqual([]);
  expect(await readdir(state)).not.toContain("containers");
});

test("a call that does not end in time goes back to the queue when its runner is stopped", { timeout: 90_000 }, async () => {
  await using runner = stoppable(here);
  const served = here.python("mark");
  const call = await here.call(served, [600, "third"]);
  await expect.poll(() => here.lines(served, call.id)).not.toEqual([]);
  await runner.stop();
  expect(here.functions.recorded.get(call.id)).toBe(undefined);
  expect(await here.queuedCalls()).toBe(1);
});

test("a runner whose containers are all lost at once ends, so that it is started again", async () => {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const ended = runRunner(readRunnerConfig(here.environment), stop.signal);
  ended.catch(() => undefined);
  const state = path.join(here.environment["LAMINA_STATE"] ?? "", "functions", "holder");
  expect(await (await here.call(here.python("mark"), [0, "fourth"])).end).toMatchObject(done("fourth"));
  for (const pid of await pidsWith("unshare", state)) process.kill(pid, "SIGKILL");
  await expect(ended).rejects.toThrow("All containers of functions were lost");
});
