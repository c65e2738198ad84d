import { catalogue, type RunEvent, type RunProgress, type Tracked } from "@lamina/api";
import { connectNats, createLogger, feedWriter } from "@lamina/service";
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { fakeBuilder } from "./support/builder.ts";
import { client, testControlPlane, type TestControlPlane, worker } from "./support/platform.ts";
import { attemptOf, chain, startBuild } from "./support/requests.ts";

async function runOf(platform: TestControlPlane, image: string): Promise<string> {
  return (await platform.services.runs.start(client, { image, command: ["true"] })).run;
}

/** A run in the base. */
async function startRun(platform: TestControlPlane): Promise<string> {
  const { image } = await platform.services.builds.get(client, { id: await startBuild(platform, chain()) });
  return runOf(platform, image);
}

async function eventsOf(platform: TestControlPlane, run: string, after?: string): Promise<Tracked<RunEvent>[]> {
  const events: Tracked<RunEvent>[] = [];
  for await (const item of platform.services.runs.follow(client, { id: run, lastEventId: after }, new AbortController().signal))
    events.push(item);
  return events;
}

test("a run's output and exit code are read from any cursor", async () => {
  await using platform = await testControlPlane();
  const { config, services } = platform;
  const run = await startRun(platform);
  const claimed = await services.runs.claim(worker, { id: run, worker: "w", nonce: randomUUID() });
  expect(claimed).toMatchObject({ command: ["true"], image: { digest: platform.base.digest } });
  expect(await services.runs.claim(worker, { id: run, worker: "other", nonce: randomUUID() })).toBeNull();

  const connection = await connectNats({ ...config.nats, name: "fake-runner" });
  const { stream, subject } = catalogue(config.namespace).events;
  const logger = createLogger({ name: "fake-runner", level: "silent" });
  const feed = await feedWriter<RunProgress>({ connection, stream, subject: subject(run), logger, onFenced: () => {} });
  await feed.write({ type: "run-started", at: 1, runner: "w" });
  await feed.write({ type: "output", at: 2, stream: "stdout", data: Buffer.from("hello").toString("base64") });
  await feed.flush();
  await connection.close();
  await services.runs.finish(worker, { id: run, token: claimed?.token ?? 0, outcome: { exitCode: 3 } });

  const events = await eventsOf(platform, run);
  expect(events.map(({ event }) => event.type)).toEqual(["run-started", "output", "run-exited"]);
  expect(events.at(-1)?.event).toMatchObject({ exitCode: 3 });
  for (const [index, { cursor }] of events.entries()) expect(await eventsOf(platform, run, cursor)).toEqual(events.slice(index + 1));
});

test("a run whose runner is lost fails, and is not started again", async () => {
  await using platform = await testControlPlane();
  const run = await startRun(platform);
  const claimed = await platform.services.runs.claim(worker, { id: run, worker: "w", nonce: randomUUID() });
  await platform.sql("UPDATE run SET lease_until = now() - interval '1 second'");
  expect((await eventsOf(platform, run)).map(({ event }) => event)).toMatchObject([{ type: "run-failed", error: { code: "RUN_FAILED" } }]);
  const late = platform.services.runs.finish(worker, { id: run, token: claimed?.token ?? 0, outcome: { exitCode: 0 } });
  await expect(late).rejects.toMatchObject({ code: "LEASE_LOST" });
  expect(await platform.services.runs.claim(worker, { id: run, worker: "w", nonce: randomUUID() })).toBeNull();
});

test("a cancelled run ends, and its runner is told", async () => {
  await using platform = await testControlPlane();
  const { runs } = platform.services;
  const run = await startRun(platform);
  const claimed = await runs.claim(worker, { id: run, worker: "w", nonce: randomUUID() });
  await runs.cancel(client, { id: run });
  expect((await eventsOf(platform, run)).map(({ event }) => event)).toMatchObject([{ type: "run-failed", error: { code: "CANCELLED" } }]);
  expect(await runs.renew(worker, { id: run, token: claimed?.token ?? 0 })).toMatchObject({ cancelled: true });
});

test("an image is found by its id and by its reference, and not in another workspace", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one"));
  await builder.make(await attemptOf(platform, build));
  const { image, ref = "" } = await platform.services.builds.get(client, { id: build });
  for (const name of [image, ref]) {
    const claimed = await platform.services.runs.claim(worker, { id: await runOf(platform, name), worker: "w", nonce: randomUUID() });
    expect(claimed?.image).toEqual({ repository: `${platform.config.repositoryPrefix}/default`, digest: ref.split("@")[1] });
  }
  const stranger = platform.services.runs.start({ workspace: "stranger", role: "client" }, { image, command: ["true"] });
  await expect(stranger).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(runOf(platform, "python:3.13")).rejects.toMatchObject({ code: "INVALID_INPUT" });
});

test("a claim whose answer was lost is answered the same again", async () => {
  await using platform = await testControlPlane();
  const call = { id: await startRun(platform), worker: "w", nonce: randomUUID() };
  const lost = await platform.services.runs.claim(worker, call);
  expect(lost).not.toBeNull();
  expect(await platform.services.runs.claim(worker, call)).toEqual(lost);
});
