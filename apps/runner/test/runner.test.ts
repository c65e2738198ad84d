import type { RunEvent } from "@lamina/api";
import { LaminaError } from "@lamina/api";
import { base } from "@lamina/testkit";
import { beforeAll, expect, test } from "vitest";
import { testEngine } from "./support/engine.ts";
import { kill, spawnRunner, startRunner, type World, world } from "./support/world.ts";

let image: string;
beforeAll(async () => void (image = await base("3.13")));

const waitForever = ["sh", "-c", "trap 'exit 0' TERM; echo here; sleep 600 & wait"];

test("a run is claimed, its output told as it comes, and its exit code at the end", async () => {
  await using here = await world();
  await using _runner = startRunner(here);
  const { id, outcome } = await here.run(image, ["sh", "-c", "printf 'one\\ntwo'; printf 'three' >&2; exit 3"]);

  expect(await outcome).toEqual({ exitCode: 3 });

  const { events, stdout, stderr } = await eventsUntil(here, id, (seen) => seen.stdout === "one\ntwo" && seen.stderr === "three");
  expect(events.slice(0, 2)).toMatchObject([{ type: "run-started", runner: "one" }, { type: "preparing" }]);
  expect({ stdout, stderr }).toEqual({ stdout: "one\ntwo", stderr: "three" });
});

test("runs go on beside each other, and each job is gone from the queue in the end", async () => {
  await using here = await world();
  {
    await using _runner = startRunner(here);
    const runs = await Promise.all([1, 2, 3, 4].map((code) => here.run(image, ["sh", "-c", `exit ${code}`])));
    expect(await Promise.all(runs.map(({ outcome }) => outcome))).toEqual([1, 2, 3, 4].map((exitCode) => ({ exitCode })));
  }
  expect(await here.queued()).toBe(0);
});

test("an image that cannot be fetched fails the run with the reason", async () => {
  await using here = await world();
  await using _runner = startRunner(here);
  const missing = `${image.slice(0, image.indexOf("@"))}@sha256:${"1".repeat(64)}`;
  const { outcome } = await here.run(missing, ["true"]);
  expect(await outcome).toMatchObject({ error: { code: "REGISTRY_UNAVAILABLE", message: expect.stringContaining("1111") } });
});

test("a cancelled run is stopped, and its end is not told twice", async () => {
  await using here = await world();
  const run = await here.run(image, waitForever);
  let isFinished = false;
  void run.outcome.then(() => (isFinished = true));
  {
    await using _runner = startRunner(here);
    await eventsUntil(here, run.id, ({ stdout }) => stdout === "here\n");
    run.renewal = () => ({ leaseSeconds: 15, cancelled: true });
    here.sendCancel(run.id);
    expect(await containersInTheEnd(here)).toEqual([]);
  }
  expect(isFinished).toBe(false);
  expect(await here.queued()).toBe(0);
});

test("a run whose lease is lost is stopped", async () => {
  await using here = await world();
  const run = await here.run(image, waitForever);
  await using _runner = startRunner(here);
  await eventsUntil(here, run.id, ({ stdout }) => stdout === "here\n");
  run.renewal = () => {
    throw new LaminaError({ code: "LEASE_LOST", message: "It expired." });
  };
  here.sendCancel(run.id);
  expect(await containersInTheEnd(here)).toEqual([]);
});

test("a runner that is stopped ends its runs with an error, and leaves no container", async () => {
  await using here = await world();
  const { id, outcome } = await here.run(image, waitForever);
  {
    await using _runner = startRunner(here);
    await eventsUntil(here, id, ({ stdout }) => stdout === "here\n");
  }
  expect(await outcome).toMatchObject({ error: { code: "RUN_FAILED", message: expect.stringContaining("runner was stopped") } });
  expect(await containersInTheEnd(here)).toEqual([]);
});

test("a runner that was killed leaves a container, which the next one removes before it takes jobs", async () => {
  await using here = await world();
  const killed = spawnRunner(here);
  const first = await here.run(image, waitForever);
  await eventsUntil(here, first.id, ({ stdout }) => stdout === "here\n");
  await kill(killed);

  const second = await here.run(image, ["true"]);
  const next = spawnRunner(here);
  expect(await second.outcome).toEqual({ exitCode: 0 });
  expect(await containersInTheEnd(here)).toEqual([]);
  expect(here.workers).toEqual(new Set(["one"]));
  await kill(next);
});

interface Seen {
  readonly events: RunEvent[];
  readonly stdout: string;
  readonly stderr: string;
}

/** Follows a run until what was seen of it is enough. */
async function eventsUntil(here: World, id: string, isEnough: (seen: Seen) => boolean): Promise<Seen> {
  const seen = { events: new Array<RunEvent>(), stdout: "", stderr: "" };
  for await (const event of here.events(id)) {
    seen.events.push(event);
    if (event.type === "output") seen[event.stream] += Buffer.from(event.data, "base64").toString();
    if (isEnough(seen)) break;
  }
  return seen;
}

/** The runner's containers once there are none; the test's time limit ends the wait. */
async function containersInTheEnd(here: World): Promise<readonly string[]> {
  await using engine = await testEngine({ owner: here.owner });
  for (;;) {
    const containers = await engine.containers();
    if (containers.length === 0) return containers;
  }
}
