/** Calls past the queue while Postgres is away. */
import { createLogger } from "@lamina/service";
import { type FaultyProxy, faultyProxy } from "@lamina/testkit";
import { expect, test } from "vitest";
import { createToldEnds, type ToldEnd } from "../src/calls/told.ts";
import { configFrom } from "../src/config.ts";
import type { Statements } from "../src/database/statements.ts";
import { lineWorld, type LineWorld, type LineWorldOptions } from "./support/direct.ts";
import { done } from "./support/functions.ts";
import { client, testPlace, type TestPlace } from "./support/platform.ts";

interface Apart extends AsyncDisposable {
  readonly world: LineWorld;
  /** Before the database. */
  readonly proxy: FaultyProxy;
  /** Reaches the database past the proxy. */
  readonly place: TestPlace;
}

async function worldApart(options: LineWorldOptions = {}): Promise<Apart> {
  await using cleanUp = new AsyncDisposableStack();
  const place = cleanUp.use(await testPlace());
  const url = new URL(place.config.databaseUrl);
  const proxy = cleanUp.use(await faultyProxy(url.host));
  url.host = proxy.host;
  const environment = { ...place.environment, LAMINA_DATABASE_URL: url.href };
  const world = cleanUp.use(await lineWorld({ ...options, beside: { ...place, environment, config: configFrom(environment) } }));
  const owned = cleanUp.move();
  return { world, proxy, place, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const endsIn = (place: TestPlace, id: string) =>
  place.sql<{ state: string }>("SELECT state::text AS state FROM call WHERE id = $1 AND ended_at IS NOT NULL", [id]);

test("a call that ends while Postgres is away has its end, which is recorded when Postgres is back", async () => {
  await using apart = await worldApart();
  const { world, proxy, place } = apart;
  const { id, answer } = world.start();
  const given = await world.line.calls();
  proxy.become({ kind: "cut" });
  await world.line.ended(given);
  expect(await answer).toEqual([{ id, end: done("directly") }]);
  expect(await endsIn(place, id)).toEqual([]);
  proxy.become({ kind: "pass" });
  expect(await world.services.calls.get(client, { id })).toMatchObject({ state: "done", end: done("directly") });
  expect(await endsIn(place, id)).toEqual([{ state: "done" }]);
});

test("a call that cannot be recorded while it goes on has its end all the same, and others are found as before", async () => {
  await using apart = await worldApart();
  const { world, proxy, place } = apart;
  const { id, answer } = world.start();
  const given = await world.line.calls();
  proxy.become({ kind: "cut" });
  await expect(world.services.calls.get(client, { id })).rejects.toMatchObject({ code: "UNREACHABLE" });
  await world.line.ended(given);
  expect(await answer).toEqual([{ id, end: done("directly") }]);
  proxy.become({ kind: "pass" });
  expect(await world.services.calls.list(client, { limit: 1 })).toMatchObject([{ id, state: "done" }]);
  expect(await endsIn(place, id)).toEqual([{ state: "done" }]);
});

test("a call whose function turns out to be stopped while it is being recorded has the end that came meanwhile", async () => {
  await using apart = await worldApart();
  const { world, proxy, place } = apart;
  const { id, answer } = world.start();
  const given = await world.line.calls();
  proxy.become({ kind: "stall" });
  const asked = world.services.calls.get(client, { id }).catch(() => undefined);
  await world.line.ended(given);
  await place.sql("UPDATE function_version SET state = 'stopped' WHERE id = $1", [world.functionId]);
  proxy.become({ kind: "pass" });
  expect(await answer).toEqual([{ id, end: done("directly") }]);
  await asked;
  expect(await world.services.calls.get(client, { id })).toMatchObject({ state: "done" });
});

test("when too many ends wait to be recorded, calls go to the queue", async () => {
  await using apart = await worldApart({ tookMs: 1 });
  const { world, proxy } = apart;
  proxy.become({ kind: "stall" });
  world.line.serve();
  for (let time = 0; time < 2; time += 1) {
    const { ids, answer } = world.start(500);
    expect((await answer).length).toBe(ids.length);
  }
  const { id, answer } = world.start();
  proxy.become({ kind: "pass" });
  const queued = await world.take();
  expect(queued.id).toBe(id);
  await queued.finish(done("by the queue"), 1);
  expect(await answer).toEqual([{ id, end: done("by the queue") }]);
  // There is room again.
  const next = world.start();
  expect(await next.answer).toMatchObject([{ id: next.id, end: { state: "done" } }]);
});

const told = (number: number): ToldEnd => ({
  id: `call ${number}`,
  workspace: "default",
  functionId: "f",
  version: 1,
  method: undefined,
  end: done(number),
  createdAt: 0,
  startedAt: 0,
});

/** A database that does as it is told, each time that it is asked. */
function fakeStatements(answers: readonly (() => Promise<void>)[]) {
  const asked: number[] = [];
  const statements: Statements = {
    async rows({ values }) {
      const [ids] = values;
      asked.push(Array.isArray(ids) ? ids.length : 0);
      await answers[asked.length - 1]?.();
      return [];
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { statements, asked };
}

const logger = createLogger({ name: "test", level: "silent" });

test("ends are recorded in batches, over failures, and there is room for more when they are", async () => {
  const away = () => Promise.reject(new Error("connect ECONNREFUSED"));
  const { statements, asked } = fakeStatements([away, away]);
  let replaced = 0;
  const ends = createToldEnds({ statements, logger, onReplaced: () => (replaced += 1), signal: new AbortController().signal });
  for (let number = 0; number < 999; number += 1) ends.record(told(number));
  expect(ends.isFull).toBe(false);
  ends.record(told(999));
  expect(ends.isFull).toBe(true);
  await ends.recorded();
  expect(ends.isFull).toBe(false);
  expect(asked).toEqual([200, 200, 200, 200, 200, 200, 200]);
  // No version that they name is active any more.
  expect(replaced).toBe(5);
});

test("one that cannot ever be recorded keeps none of the others from it", async () => {
  const recorded: unknown[] = [];
  const statements: Statements = {
    async rows({ values: [ids] }) {
      if (Array.isArray(ids) && ids.includes("call 3")) throw new Error("invalid input syntax");
      recorded.push(ids);
      return [];
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const ends = createToldEnds({ statements, logger, onReplaced: () => undefined, signal: new AbortController().signal });
  for (let number = 1; number <= 5; number += 1) ends.record(told(number));
  await ends.recorded();
  expect(recorded).toEqual([["call 1"], ["call 2"], ["call 4"], ["call 5"]]);
});

test("who asks while more ends are told than recorded is answered when those are that were told before", async () => {
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const { statements, asked } = fakeStatements(
    gates.map(
      ({ promise }) =>
        () =>
          promise,
    ),
  );
  const ends = createToldEnds({ statements, logger, onReplaced: () => undefined, signal: new AbortController().signal });
  ends.record(told(1));
  const first = ends.recorded();
  await expect.poll(() => asked.length).toBe(1);
  ends.record(told(2));
  gates[0]?.resolve();
  await first;
  expect({ first: ends.has("call 1"), second: ends.has("call 2") }).toEqual({ first: false, second: true });
  gates[1]?.resolve();
  await ends.recorded();
  expect(asked).toEqual([1, 1]);
});

test("what cannot be recorded when the process ends does not hold it up", async () => {
  const stopping = new AbortController();
  const { statements, asked } = fakeStatements([
    () => {
      stopping.abort();
      return Promise.reject(new Error("away"));
    },
  ]);
  const ends = createToldEnds({ statements, logger, onReplaced: () => undefined, signal: stopping.signal });
  ends.record(told(1));
  await ends.recorded();
  expect(asked).toEqual([1]);
});
