import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gate, type Gate } from "@lamina/testkit";
import { Image } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attemptsOf, eventsOfAttempt, publishedIn } from "./feed.ts";
import { build, DEBIAN, type Outcome, platform, type Platform } from "./platform.ts";

let here: Platform;
beforeAll(async () => void (here = await platform()));
afterAll(() => here[Symbol.asyncDispose]());

/** Begins a build and resolves when its output has that line; `outcome` is how it goes on. */
async function buildUntil(image: Parameters<typeof build>[1], line: string): Promise<{ id: string; outcome: Promise<Outcome> }> {
  const said = Promise.withResolvers<void>();
  let id = "";
  const outcome = build(here, image, (event) => {
    if (event.type === "build") id = event.build;
    if (event.type === "log" && event.line === line) said.resolve();
  });
  await Promise.race([said.promise, outcome]);
  return { id, outcome };
}

/** The processes that a process has started, with their command lines. */
async function childrenOf(pid: number | undefined): Promise<{ pid: number; command: string; environment: string }[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return Promise.all(
    list
      .split(" ")
      .filter((child) => child !== "")
      .map(async (child) => ({
        pid: Number(child),
        command: await readFile(`/proc/${child}/cmdline`, "utf8"),
        environment: await readFile(`/proc/${child}/environ`, "utf8"),
      })),
  );
}

async function tagCount(layer: string | undefined): Promise<number> {
  let count = 0;
  for await (const tag of here.images.tags()) if (tag.startsWith(`${layer}-`)) count += 1;
  return count;
}

/** Two layers that no cache has; the second says its mark, and waits at the gate. */
const slow = (mark: string, { wait }: Gate) =>
  Image.debianSlim(DEBIAN).runCommands(`echo ${randomUUID()} > /mark`).runCommands(`echo ${mark}`, wait);

describe("an attempt", () => {
  test("goes to another builder when its own is killed; what that one left is removed when it starts again", async () => {
    await using step = await gate();
    await using first = await here.builderProcess();
    const { outcome } = await buildUntil(slow("killed", step), "killed");
    const ended = once(first.process, "exit");
    first.process.kill("SIGKILL");
    await ended;
    step.open();
    expect(await readdir(join(first.state, "attempts"))).toHaveLength(1);
    await using _second = await here.builder({ LAMINA_STATE: first.state, LAMINA_WORKER_NAME: "second" });
    const { error, events, result } = await outcome;
    expect(error).toBeUndefined();
    const [lost = "", made = ""] = attemptsOf({ error, events, result });
    expect((await eventsOfAttempt(here, lost)).at(-1)).toMatchObject({ type: "attempt-cut-off", reason: "expired" });
    expect((await eventsOfAttempt(here, made)).at(0)).toMatchObject({ builder: "second" });
    expect(await readdir(join(first.state, "attempts"))).not.toContain(lost);
  });

  test("publishes nothing when its builder comes back after the lease has gone to another", async () => {
    await using step = await gate();
    await using stale = await here.builderProcess({ LAMINA_WORKER_NAME: "stale" });
    const { outcome } = await buildUntil(slow("stale", step), "stale");
    stale.process.kill("SIGSTOP");
    step.open();
    await using _fresh = await here.builder({ LAMINA_WORKER_NAME: "fresh" });
    const made = await outcome;
    expect(made.error).toBeUndefined();
    const [lost = "", kept = ""] = attemptsOf(made);
    await eventsOfAttempt(here, kept);
    stale.process.kill("SIGCONT");
    while (!stale.log().includes("the attempt was cut off")) await once(stale.process.stderr ?? stale.process, "data");
    expect(publishedIn(await eventsOfAttempt(here, lost))).toEqual([]);
    for (const { id } of made.result?.layers.slice(1) ?? []) await expect.poll(() => tagCount(id)).toBe(1);
    expect(await readdir(join(stale.state, "attempts"))).toEqual([]);
  });

  test("ends at once when nobody wants it any more: nothing runs on, nothing is published", async () => {
    await using step = await gate();
    await using builder = await here.builderProcess();
    const { id, outcome } = await buildUntil(slow("cancelled", step), "cancelled");
    await here.client.builds.cancel(id);
    const { error, events, result } = await outcome;
    expect(error).toMatchObject({ code: "CANCELLED" });
    while (!builder.log().includes("nobody wants it any more")) await once(builder.process.stderr ?? builder.process, "data");
    const [attempt = ""] = attemptsOf({ error, events, result });
    expect((await eventsOfAttempt(here, attempt)).at(-1)).toMatchObject({ type: "attempt-cut-off", reason: "cancelled" });
    expect(await childrenOf(builder.process.pid)).toEqual([]);
    expect(await readdir(join(builder.state, "attempts"))).toEqual([]);
  });

  test("is made by one more solve when buildctl is killed", async () => {
    await using step = await gate();
    await using builder = await here.builderProcess();
    const { outcome } = await buildUntil(slow("buildctl", step), "buildctl");
    const [buildctl] = await childrenOf(builder.process.pid);
    process.kill(buildctl?.pid ?? 0, "SIGKILL");
    step.open();
    const { error, result } = await outcome;
    expect(error).toBeUndefined();
    expect(result?.layers.map(({ status }) => status)).toEqual(["hit", "built", "built"]);
    expect(builder.log()).toContain("solving once more");
  });

  test("is left to another builder when its own is told to stop, which leaves nothing behind", async () => {
    await using step = await gate();
    await using stopped = await here.builderProcess();
    const { outcome } = await buildUntil(slow("stopped", step), "stopped");
    const ended = once(stopped.process, "exit");
    stopped.process.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(await readdir(stopped.state)).toEqual(["attempts"]);
    expect(await readdir(join(stopped.state, "attempts"))).toEqual([]);
    step.open();
    await using _other = await here.builder();
    const built = await outcome;
    expect(built.error).toBeUndefined();
    const [left = ""] = attemptsOf(built);
    expect((await eventsOfAttempt(here, left)).at(-1)).toMatchObject({ type: "attempt-cut-off", reason: "released" });
  });
});

describe("a builder that cannot start", () => {
  test("says what is wrong in its environment, and ends with 2", async () => {
    await expect(here.builderProcess({ LAMINA_URL: "nonsense", LAMINA_TOKEN: "" })).rejects.toThrow(
      "The environment is not right:\n  LAMINA_URL: Invalid URL\n  LAMINA_TOKEN: must be set",
    );
  });
});
