import { randomUUID } from "node:crypto";
import { jetstream } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { appendToFeed, FeedFencedError, feedWriter, readFeedTail } from "../src/index.ts";
import { type TestNats, testNats } from "./nats-server.ts";
import { batchesOf, eventsOf, type World, world } from "./world.ts";

let nats: TestNats;
beforeAll(async () => void (nats = await testNats()));
afterAll(() => nats[Symbol.asyncDispose]());

function openFeed(here: World, id: string) {
  const { stream, subject } = here.names.events;
  const fenced = Promise.withResolvers<void>();
  const writer = feedWriter<number>({
    connection: here.connection,
    stream,
    subject: subject(id),
    logger: here.logger,
    onFenced: () => fenced.resolve(),
  });
  return { writer, fenced: fenced.promise };
}

/** Writes one batch as another writer, after whatever is there. */
async function writeAsAnother(here: World, id: string): Promise<void> {
  const feed = { stream: here.names.events.stream, subject: here.names.events.subject(id) };
  const tail = await readFeedTail(here.manager, feed);
  await appendToFeed(JSON.stringify({ first: 99, events: ["the end"] }), {
    client: jetstream(here.connection),
    manager: here.manager,
    ...feed,
    writer: randomUUID(),
    after: tail?.sequence ?? 0,
    signal: new AbortController().signal,
    onRetry: () => {},
  });
}

describe("a feed's writer", { timeout: 60_000 }, () => {
  test("numbers events from 1 in the order in which they were written, many to a batch", async () => {
    await using here = await world(nats);
    const feed = await openFeed(here, "a").writer;
    const numbers = Array.from({ length: 2_000 }, (_, index) => index);
    for (const number of numbers) await feed.write(number);
    await feed.flush();
    expect(await eventsOf(here, "a")).toEqual(numbers);
    expect((await batchesOf(here, "a")).length).toBeLessThan(200);
  });

  test("keeps two feeds apart", async () => {
    await using here = await world(nats);
    const feeds = [await openFeed(here, "a").writer, await openFeed(here, "b").writer];
    for (const feed of feeds) for (const number of [1, 2, 3]) await feed.write(number);
    for (const feed of feeds) await feed.flush();
    expect(await eventsOf(here, "a")).toEqual([1, 2, 3]);
    expect(await eventsOf(here, "b")).toEqual([1, 2, 3]);
  });

  test("is fenced when another has written, and writes nothing after it", async () => {
    await using here = await world(nats);
    const { writer, fenced } = openFeed(here, "a");
    const feed = await writer;
    await feed.write(1);
    await feed.flush();
    await writeAsAnother(here, "a");
    await feed.write(2);
    await expect(feed.flush()).rejects.toThrow(FeedFencedError);
    await fenced;
    await feed.write(3);
    expect((await batchesOf(here, "a")).map(({ events }) => events)).toEqual([[1], ["the end"]]);
  });

  test("is fenced when another has begun the feed", async () => {
    await using here = await world(nats);
    await writeAsAnother(here, "a");
    const feed = await openFeed(here, "a").writer;
    await feed.write(1);
    await expect(feed.flush()).rejects.toThrow(FeedFencedError);
  });

  test("accepts its own batch when the answer to it was lost", async () => {
    await using here = await world(nats);
    const options = {
      client: jetstream(here.connection),
      manager: here.manager,
      stream: here.names.events.stream,
      subject: here.names.events.subject("a"),
      writer: randomUUID(),
      after: 0,
      signal: new AbortController().signal,
      onRetry: () => {},
    };
    const sequence = await appendToFeed('{"first":1,"events":[1]}', options);
    expect(await appendToFeed('{"first":1,"events":[1]}', options)).toBe(sequence);
    expect(await eventsOf(here, "a")).toEqual([1]);
  });

  test("neither loses nor repeats an event over kills of NATS", async () => {
    await using here = await world(nats);
    const feed = await openFeed(here, "a").writer;
    const numbers = Array.from({ length: 3_000 }, (_, index) => index);
    const writing = (async () => {
      for (const number of numbers) {
        await feed.write(number);
        if (number % 1_000 === 500) {
          await nats.kill();
          await feed.write(-number);
          await nats.start();
        }
      }
      await feed.flush();
    })();
    await writing;
    const events = await eventsOf(here, "a");
    expect(events.filter((event) => typeof event === "number" && event >= 0)).toEqual(numbers);
    expect(events).toHaveLength(3_003);
  });

  test("makes its user wait while NATS is away, and goes on when it is back", async () => {
    await using here = await world(nats);
    const feed = await openFeed(here, "a").writer;
    await feed.write(0);
    await feed.flush();
    await nats.kill();
    let written = 0;
    const writing = (async () => {
      const filler = 1e15;
      for (; written < 150_000; written++) await feed.write(filler);
    })();
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBeLessThan(100_000);
    await nats.start();
    await writing;
    await feed.flush();
    expect(await eventsOf(here, "a")).toHaveLength(150_001);
  });
});
