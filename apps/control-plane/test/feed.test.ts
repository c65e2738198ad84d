import { type BuildEvent, catalogue, type Tracked } from "@lamina/api";
import { connectNats, createLogger, FeedFencedError } from "@lamina/service";
import { jetstream } from "@nats-io/jetstream";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createBuildFollower } from "../src/builds/follow.ts";
import { connectDatabase } from "../src/database/database.ts";
import { createFeedReader, type FeedReader } from "../src/events/feed.ts";
import { openNats } from "../src/events/nats.ts";
import { fakeBuilder } from "./support/builder.ts";
import { testControlPlane, type TestControlPlane } from "./support/platform.ts";
import { attemptOf, chain, follow, startBuild } from "./support/requests.ts";

/** A build of two attempts: the first is lost after one layer. */
async function buildWithTwoAttempts(platform: TestControlPlane): Promise<string> {
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one", "two", "three"));
  const lost = await attemptOf(platform, build);
  const held = await builder.claim(lost);
  const layer = held?.claimed.layers[0]?.id ?? "";
  for (let line = 1; line <= 50; line += 1) await held?.feed.write({ type: "log", at: line, layer, line: `line ${line}` });
  await held?.feed.flush();
  await held?.publish(1);
  await platform.sql("UPDATE attempt SET lease_until = now() - interval '1 second' WHERE id = $1", [lost]);
  await follow(platform, build, { until: (event) => event.type === "attempt" && event.attempt !== lost });
  await builder.make(await attemptOf(platform, build));
  await archived(platform, 2);
  return build;
}

async function archived(platform: TestControlPlane, feeds: number): Promise<void> {
  await expect.poll(() => platform.sql("SELECT DISTINCT feed FROM event_chunk"), { timeout: 10_000 }).toHaveLength(feeds);
}

/** The events of each feed apart: how they are merged is left open. */
function byFeed(events: readonly Tracked<BuildEvent>[]): Map<string, BuildEvent[]> {
  return Map.groupBy(
    events.map(({ event }) => event),
    (event) => ("attempt" in event && event.type !== "attempt" ? event.attempt : "own"),
  );
}

test("wherever a reader stops and goes on, it sees each event once and in order", async () => {
  await using platform = await testControlPlane();
  const build = await buildWithTwoAttempts(platform);
  const whole = await follow(platform, build);
  const property = fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 12 }), async (pieces) => {
    const seen: Tracked<BuildEvent>[] = [];
    for (const piece of pieces) {
      let left = piece;
      seen.push(...(await follow(platform, build, { after: seen.at(-1)?.cursor, until: () => (left -= 1) === 0 })));
    }
    seen.push(...(await follow(platform, build, { after: seen.at(-1)?.cursor })));
    expect(byFeed(seen)).toEqual(byFeed(whole));
    expect(seen.at(-1)?.event.type).toBe("done");
  });
  await fc.assert(property, { numRuns: 25 });
});

test("a reader who came early sees what a late one sees", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one", "two"));
  const early = follow(platform, build);
  const held = await builder.claim(await attemptOf(platform, build));
  const layer = held?.claimed.layers[0]?.id ?? "";
  for (let line = 1; line <= 500; line += 1) await held?.feed.write({ type: "log", at: line, layer, line: `line ${line}` });
  await held?.feed.flush();
  await held?.publish(2);
  const late = await follow(platform, build);
  expect(await early).toEqual(late);
  expect(late.filter(({ event }) => event.type === "log")).toHaveLength(500);
});

test("the end of each feed is there once, and the numbers before it have no gaps", async () => {
  await using platform = await testControlPlane();
  await using other = await testControlPlane({ beside: platform });
  const build = await buildWithTwoAttempts(other);
  const events = (await follow(platform, build)).map(({ event }) => event.type);
  expect(events.filter((type) => type === "attempt-cut-off")).toHaveLength(1);
  expect(events.filter((type) => type === "attempt-done")).toHaveLength(1);
  expect(events.filter((type) => type === "done")).toHaveLength(1);
  const chunks = await platform.sql<{ first: number; last: number }>("SELECT first, last FROM event_chunk ORDER BY feed, first");
  expect(chunks[0]).toEqual({ first: 1, last: 51 });
});

test("a writer that lost its lease cannot write after the end", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one"));
  const lost = await attemptOf(platform, build);
  const held = await builder.claim(lost);
  await held?.feed.write({ type: "attempt-started", at: 1, builder: "fake" });
  await held?.feed.flush();
  await platform.sql("UPDATE attempt SET lease_until = now() - interval '1 second' WHERE id = $1", [lost]);
  await archived(platform, 1);
  await held?.feed.write({ type: "preparing", at: 2, what: "too late" });
  await expect(held?.feed.flush()).rejects.toBeInstanceOf(FeedFencedError);

  await builder.make(await attemptOf(platform, build));
  const types = (await follow(platform, build)).flatMap(({ event }) => ("attempt" in event && event.attempt === lost ? [event.type] : []));
  expect(types).toEqual(["attempt", "attempt-started", "attempt-cut-off"]);
});

test("an event that this release does not know keeps its number, is shown to nobody and holds up nobody", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one"));
  const attempt = await attemptOf(platform, build);
  const held = await builder.claim(attempt);
  const connection = await connectNats({ ...platform.config.nats, name: "newer-builder" });
  const events = [{ type: "of-a-newer-release" }, { type: "attempt-started", at: 1, builder: "newer" }];
  const { subject } = catalogue(platform.config.namespace).events;
  await jetstream(connection).publish(subject(attempt), JSON.stringify({ first: 1, events }));
  await connection.close();
  await held?.publish(1);
  await held?.finish();
  await archived(platform, 1);
  const types = (await follow(platform, build)).flatMap(({ event }) =>
    "attempt" in event && event.type !== "attempt" ? [event.type] : [],
  );
  expect(types).toEqual(["attempt-started", "attempt-done"]);
  expect(await platform.sql("SELECT first, last FROM event_chunk")).toEqual([{ first: 1, last: 3 }]);
});

test("a cursor that is none is refused", async () => {
  await using platform = await testControlPlane();
  const build = await startBuild(platform, chain("one"));
  await expect(follow(platform, build, { after: "nonsense" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(follow(platform, "none")).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("a reader whose look into the archive fails once sees all events all the same", async () => {
  await using platform = await testControlPlane();
  await using stack = new AsyncDisposableStack();
  const build = await buildWithTwoAttempts(platform);
  const { config } = platform;
  const connection = await connectNats({ ...config.nats, name: "reader" });
  stack.defer(() => connection.close());
  const database = connectDatabase(config.databaseUrl);
  stack.defer(() => database.$disconnect());
  const nats = await openNats(connection, catalogue(config.namespace));
  const logger = createLogger({ name: "reader", level: "silent" });
  const reader = createFeedReader({ nats, database, logger });
  let failures = 0;
  const feeds: FeedReader = {
    ...reader,
    async *read(...input) {
      if ((failures += 1) <= 2) throw new Error("the archive cannot be read");
      yield* reader.read(...input);
    },
  };
  const events: Tracked<BuildEvent>[] = [];
  const follower = createBuildFollower({ database, nats, feeds, logger });
  for await (const item of follower.follow(build, {}, new AbortController().signal)) events.push(item);
  expect(byFeed(events)).toEqual(byFeed(await follow(platform, build)));
});

test("a feed that has ended leaves the stream but for its last message, and a reader who is behind goes on in the archive", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  await using stack = new AsyncDisposableStack();
  const attempt = await attemptOf(platform, await startBuild(platform, chain("one")));
  const held = await builder.claim(attempt);
  const connection = await connectNats({ ...platform.config.nats, name: "reader" });
  stack.defer(() => connection.close());
  const database = connectDatabase(platform.config.databaseUrl);
  stack.defer(() => database.$disconnect());
  const nats = await openNats(connection, catalogue(platform.config.namespace));
  const { stream, subject } = nats.catalogue.events;
  const messages = async () => {
    const { state } = await nats.manager.streams.info(stream, { subjects_filter: subject(attempt) });
    return state.subjects?.[subject(attempt)];
  };
  // More than a reader is sent before it asks for more.
  const numbers = Array.from({ length: 1_200 }, (_, index) => index + 1);
  const batches = numbers.map((first) => ({ first, events: [{ type: "preparing", at: first, what: "files" }] }));
  await Promise.all(batches.map((batch) => nats.client.publish(subject(attempt), JSON.stringify(batch))));

  const reader = createFeedReader({ nats, database, logger: createLogger({ name: "reader", level: "silent" }) });
  const events = reader.read(attempt, 0, new AbortController().signal);
  const seen = [(await events.next()).value?.number];
  await held?.publish(1);
  await held?.finish();
  await archived(platform, 1);
  await expect.poll(messages).toBe(1);
  for await (const { number } of events) seen.push(number);
  expect(seen).toEqual([...numbers, 1_201]);
});

test("a build that joined an attempt is shown none of the layers that it does not have", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const first = await startBuild(platform, chain("shared", "of the first"));
  const attempt = await attemptOf(platform, first);
  const second = await startBuild(platform, chain("shared", "of the second"));
  expect(await attemptOf(platform, second)).toBe(attempt);
  await builder.make(attempt);
  await builder.make(await attemptOf(platform, second));
  const events = (await follow(platform, second)).map(({ event }) => event);
  const planned = events.flatMap((event) => (event.type === "planned" ? event.layers.map(({ id }) => id) : []));
  const shown = events.flatMap((event) => ("layer" in event ? [event.layer] : []));
  expect(new Set(shown)).toEqual(new Set(planned.slice(1)));
});

test("a reader who wants what is there now gets that, and an end", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one", "two"));
  const types = async (after?: string) => (await follow(platform, build, { range: "now", after })).map(({ event }) => event.type);
  expect(await types()).toEqual(["planned", "attempt"]);
  const held = await builder.claim(await attemptOf(platform, build));
  const layer = held?.claimed.layers[0]?.id ?? "";
  for (let line = 1; line <= 400; line += 1) await held?.feed.write({ type: "log", at: line, layer, line: `line ${line}` });
  await held?.feed.flush();
  expect(await types()).toHaveLength(402);
  const last = (await follow(platform, build, { range: "now" })).at(-1)?.cursor;
  expect(await types(last)).toEqual([]);
  await held?.publish(2);
  await held?.finish();
  expect((await types()).at(-1)).toBe("done");
});

test("a reader who wants all to be published gets the end of the build after its layers, and not those of others", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const whole = await startBuild(platform, chain("one", "two", "three"));
  const held = await builder.claim(await attemptOf(platform, whole));
  const joined = await startBuild(platform, chain("one", "two"));
  const seen = follow(platform, joined, { range: "published" });
  const say = async (index: number) => {
    const layer = held?.claimed.layers.find((candidate) => candidate.index === index)?.id ?? "";
    await held?.feed.write({ type: "layer-published", at: index, layer, digest: platform.base.digest, bytes: index });
    await held?.feed.flush();
  };
  await held?.publish(2);
  await say(2);
  expect((await follow(platform, joined)).map(({ event }) => event.type)).toEqual(["planned", "attempt", "layer-published", "done"]);
  await held?.publish(1);
  await say(1);
  const types = (await seen).map(({ event }) => event.type);
  expect(types).toEqual(["planned", "attempt", "layer-published", "layer-published", "done"]);
});

test("a reader who wants all to be published does not wait for what an ended attempt left out", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one", "two"));
  const held = await builder.claim(await attemptOf(platform, build));
  await held?.publish(2);
  await held?.finish();
  const whole = await follow(platform, build, { range: "published" });
  expect(whole.map(({ event }) => event.type)).toEqual(["planned", "attempt", "attempt-done", "done"]);
  const after = whole.at(-2)?.cursor;
  expect((await follow(platform, build, { range: "published", after })).map(({ event }) => event.type)).toEqual(["done"]);
});
