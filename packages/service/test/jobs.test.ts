import { AckPolicy, jetstream } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkQueue, takeJobs } from "../src/jobs.ts";
import { type TestNats, testNats } from "./nats-server.ts";
import { type World, world } from "./world.ts";

let nats: TestNats;
beforeAll(async () => void (nats = await testNats()));
afterAll(() => nats[Symbol.asyncDispose]());

async function send(here: World, message: string, pool = "cpu"): Promise<void> {
  await jetstream(here.connection).publish(here.names.jobs.subject("build", pool), message);
}
const job = (attempt: string) => JSON.stringify({ kind: "build", attempt });

/** A worker that hands each job to the test. */
function worker(here: World, handle: (attempt: string) => Promise<void>, pool = "cpu") {
  const stop = new AbortController();
  const ended = takeJobs({
    connection: here.connection,
    catalogue: here.names,
    logger: here.logger,
    kind: "build",
    pool,
    concurrency: 1,
    handle: ({ attempt }) => handle(attempt),
    signal: stop.signal,
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

/** Collects jobs until there are so many. */
function collect(count: number) {
  const seen: string[] = [];
  const all = Promise.withResolvers<string[]>();
  const handle = async (attempt: string): Promise<void> => {
    seen.push(attempt);
    if (seen.length === count) all.resolve(seen);
  };
  return { handle, seen, all: all.promise };
}

async function queued(here: World): Promise<number> {
  return (await here.manager.streams.info(here.names.jobs.stream)).state.messages;
}

describe("jobs", { timeout: 60_000 }, () => {
  test("each is handled once by the workers of its pool, and is gone from the queue then", async () => {
    await using here = await world(nats);
    const { handle, all } = collect(20);
    const stranger = collect(1);
    {
      await using _one = worker(here, handle);
      await using _two = worker(here, handle);
      await using _other = worker(here, stranger.handle, "T4");
      for (let n = 0; n < 20; n++) await send(here, job(`${n}`));
      expect((await all).map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    }
    expect(stranger.seen).toEqual([]);
    await here.connection.flush();
    expect(await queued(here)).toBe(0);
  });

  // A job that was delivered to nobody comes again later than this test may last.
  test("that are sent while the one before is being ended are each delivered once, and at once", { timeout: 20_000 }, async () => {
    await using here = await world(nats, { ackWaitSeconds: 60 });
    const { handle, seen, all } = collect(1_000);
    {
      await using _worker = worker(here, async (attempt) => {
        await handle(attempt);
        const next = Number(attempt) + 1;
        const isSent = send(here, job(`${next}`));
        // Sometimes it is there before the worker asks for it, and sometimes after.
        if (next % 2 === 0) await isSent;
      });
      await send(here, job("0"));
      await all;
    }
    expect(seen.slice(0, 1_000)).toEqual(Array.from({ length: 1_000 }, (_, n) => `${n}`));
    const { stream, consumer } = here.names.jobs;
    expect(await here.manager.consumers.info(stream, consumer("build", "cpu"))).toMatchObject({ num_redelivered: 0 });
  });

  test("one whose handler throws comes again", async () => {
    await using here = await world(nats);
    const { handle, seen, all } = collect(2);
    await using _worker = worker(here, async (attempt) => {
      await handle(attempt);
      if (seen.length === 1) throw new Error("a fault of ours");
    });
    await send(here, job("a"));
    expect(await all).toEqual(["a", "a"]);
  });

  test("are taken off a queue that an earlier release has made in another way", async () => {
    await using here = await world(nats);
    const { stream, subject, consumer, ackWaitSeconds } = here.names.jobs;
    await here.manager.consumers.add(stream, {
      durable_name: consumer("build", "cpu"),
      filter_subject: subject("build", "cpu"),
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(3 * ackWaitSeconds * 1000),
    });
    const { handle, all } = collect(1);
    await using _worker = worker(here, handle);
    await send(here, job("a"));
    expect(await all).toEqual(["a"]);
  });

  test("a message that is no job is dropped, and the next one is handled", async () => {
    await using here = await world(nats);
    const { handle, all } = collect(1);
    await using _worker = worker(here, handle);
    await send(here, "not JSON");
    await send(here, JSON.stringify({ kind: "run", run: "x" }));
    await send(here, job("a"));
    expect(await all).toEqual(["a"]);
    await here.connection.flush();
    expect(await queued(here)).toBeLessThanOrEqual(1);
  });

  test("a worker does not take a job before it has room for it", async () => {
    await using here = await world(nats);
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const other = collect(1);
    await using _busy = worker(here, async () => {
      started.resolve();
      await release.promise;
    });
    await send(here, job("long"));
    await started.promise;
    await send(here, job("short"));
    await using _idle = worker(here, other.handle);
    expect(await other.all).toEqual(["short"]);
    release.resolve();
  });

  test("go on after a kill of NATS", async () => {
    await using here = await world(nats);
    const first = collect(1);
    const second = collect(1);
    await using _worker = worker(here, async (attempt) => (attempt === "before" ? first : second).handle(attempt));
    await send(here, job("before"));
    await first.all;
    await nats.kill();
    await nats.start();
    await here.connection.flush().catch(() => here.connection.flush());
    await send(here, job("after"));
    expect(await second.all).toContain("after");
  });

  test("go on after NATS came back empty, and the queue is reported missing until then", async () => {
    await using here = await world(nats);
    const { handle, all } = collect(1);
    const queue = { connection: here.connection, catalogue: here.names, kind: "build", pool: "cpu" } as const;
    await expect(checkQueue(queue)).rejects.toThrow("consumer not found");
    await using _worker = worker(here, handle);
    const hasQueue = () =>
      checkQueue(queue).then(
        () => true,
        () => false,
      );
    await expect.poll(hasQueue, { timeout: 10_000 }).toBe(true);
    await nats.kill();
    await nats.empty();
    await nats.start();
    await expect.poll(hasQueue, { timeout: 10_000 }).toBe(true);
    await send(here, job("a"));
    expect(await all).toEqual(["a"]);
  });

  test("go on after their consumer was deleted", async () => {
    await using here = await world(nats);
    const { stream, consumer } = here.names.jobs;
    const { handle, all } = collect(1);
    await using _worker = worker(here, handle);
    await expect
      .poll(() => here.manager.consumers.delete(stream, consumer("build", "cpu")).catch(() => false), { timeout: 10_000 })
      .toBe(true);
    await send(here, job("a"));
    expect(await all).toEqual(["a"]);
  });

  test("that are at hand are finished when the worker is to stop", async () => {
    await using here = await world(nats);
    const started = Promise.withResolvers<void>();
    let finished = false;
    {
      await using _worker = worker(here, async () => {
        started.resolve();
        await new Promise((resolve) => setImmediate(resolve));
        finished = true;
      });
      await send(here, job("a"));
      await started.promise;
    }
    expect(finished).toBe(true);
  });
});
