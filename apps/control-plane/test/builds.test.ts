import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";
import { fakeBuilder } from "./support/builder.ts";
import { client, testControlPlane, worker } from "./support/platform.ts";
import { attemptOf, attemptsOf, chain, follow, hits, startBuild } from "./support/requests.ts";

const failure = (layer: string | undefined) => ({ code: "STEP_FAILED" as const, message: "exit status 7", layer, exitCode: 7 });

test("a build is done when its last layer has a record, and the next one finds every layer", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const image = chain("one", "two");
  expect(await hits(platform, image)).toBe(1);

  const build = await startBuild(platform, image, { name: "quick" });
  await builder.make(await attemptOf(platform, build));
  const types = (await follow(platform, build)).map(({ event }) => event.type).filter((type) => type !== "attempt-done");
  const layer = ["layer-started", "log", "layer-built"];
  expect(types).toEqual(["planned", "attempt", "attempt-started", ...layer, ...layer, "done"]);
  expect(await hits(platform, image)).toBe(3);

  const again = await startBuild(platform, image);
  expect((await follow(platform, again)).map(({ event }) => event.type)).toEqual(["planned", "done"]);
  expect(await platform.services.builds.get(client, { id: again })).toMatchObject({
    state: "done",
    ref: expect.stringMatching(/@sha256:[0-9a-f]{64}$/),
  });
  expect(await platform.services.images.list(client)).toMatchObject([{ layers: 3, bytes: "base".length + 101 + 102 }]);
});

test("asking twice with one id starts one build", async () => {
  await using platform = await testControlPlane();
  const id = uuid();
  const asked = await Promise.all([startBuild(platform, chain("once"), { id }), startBuild(platform, chain("once"), { id })]);
  expect(asked).toEqual([id, id]);
  expect(await platform.services.builds.list(client, { limit: 10 })).toMatchObject([{ id }]);
  expect(await attemptsOf(platform, id)).toHaveLength(1);
});

test("an image that is its base is done at once, with the base's own reference", async () => {
  await using platform = await testControlPlane();
  const build = await startBuild(platform, chain());
  const { state, ref } = await platform.services.builds.get(client, { id: build });
  expect(state).toBe("done");
  expect(ref).toBe(`${platform.config.registry.host}/${platform.config.repositoryPrefix}/library/python@${platform.base.digest}`);
});

test("a build that needs a layer in the making joins its attempt, and goes on from there", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const first = await startBuild(platform, chain("one", "two", "three"));
  const joining = await startBuild(platform, chain("one", "two", "other"));
  const attempt = await attemptOf(platform, first);
  expect(await attemptsOf(platform, joining)).toEqual([attempt]);

  await builder.make(attempt);
  expect((await follow(platform, first)).at(-1)?.event.type).toBe("done");
  const events = await follow(platform, joining, { until: (event) => event.type === "attempt" && !event.joined });
  expect(events.find(({ event }) => event.type === "attempt")?.event).toMatchObject({ joined: true, attempt });
  const own = await attemptOf(platform, joining);
  const held = await builder.claim(own);
  expect(held?.claimed.layers.map(({ index }) => index)).toEqual([3]);
});

test("what succeeded before a failure is kept, and the error points at the user's line", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const image = chain("one", "two", "three");
  const build = await startBuild(platform, image);
  const held = await builder.claim(await attemptOf(platform, build));
  await held?.publish(1);
  await held?.publish(2);
  await held?.finish(failure(held.claimed.layers[2]?.id));

  const last = (await follow(platform, build)).at(-1)?.event;
  expect(last).toMatchObject({
    type: "failed",
    error: { code: "STEP_FAILED", exitCode: 7, source: { file: "image.ts", line: 4, column: 3 } },
  });
  expect(await hits(platform, image)).toBe(3);
});

test("whatever a command wrote last is told, characters that Postgres' jsonb has no room for too", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one"));
  const held = await builder.claim(await attemptOf(platform, build));
  const error = failure(held?.claimed.layers[0]?.id);
  const lastLines = ["a\0b", "\ud800"];
  await held?.finish({ ...error, lastLines });
  expect((await follow(platform, build)).at(-1)?.event).toMatchObject({ type: "failed", error: { lastLines } });
  expect(await platform.services.builds.get(client, { id: build })).toMatchObject({ state: "failed", error: { lastLines } });
});

test("a failure fails only the builds that want the failed layer or one after it", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const long = await startBuild(platform, chain("one", "two", "three"));
  const short = await startBuild(platform, chain("one"));
  const held = await builder.claim(await attemptOf(platform, long));
  await held?.publish(1);
  await held?.finish(failure(held.claimed.layers[1]?.id));
  expect((await follow(platform, long)).at(-1)?.event.type).toBe("failed");
  expect((await follow(platform, short)).at(-1)?.event.type).toBe("done");
});

test("layers with a GPU are an attempt of their pool", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const image = chain("one", "two", "three");
  Object.assign(image.steps[1] ?? {}, { gpu: "T4:2" });
  await expect(startBuild(platform, image)).rejects.toMatchObject({ code: "POOL_UNAVAILABLE" });

  const gpu = { name: "g", kind: "builder" as const, pool: "T4", gpus: 2, platform: "linux/amd64" as const, version: "1" };
  await platform.services.platform.heartbeat({ workspace: "default", role: "worker" }, gpu);
  const build = await startBuild(platform, image);
  const pools = async () => platform.sql<{ pool: string }>("SELECT pool FROM attempt ORDER BY id");
  await builder.make(await attemptOf(platform, build));
  await builder.make(await attemptOf(platform, build));
  await builder.make(await attemptOf(platform, build));
  expect((await pools()).map(({ pool }) => pool)).toEqual(["cpu", "T4", "cpu"]);
  expect((await follow(platform, build)).at(-1)?.event.type).toBe("done");
});

test("a build says how many builders of its pool were heard of", async () => {
  await using platform = await testControlPlane();
  const buildersOf = async (command: string) => {
    const build = await startBuild(platform, chain(command));
    const events = await follow(platform, build, { until: ({ type }) => type === "attempt" });
    return events.flatMap(({ event }) => (event.type === "attempt" ? [event.builders] : []));
  };
  expect(await buildersOf("a")).toEqual([0]);
  const builder = { kind: "builder", gpus: 0, platform: "linux/amd64", version: "1" } as const;
  await platform.services.platform.heartbeat(worker, { ...builder, name: "b", pool: "cpu" });
  await platform.services.platform.heartbeat(worker, { ...builder, name: "t", pool: "T4" });
  expect(await buildersOf("b")).toEqual([1]);
});
