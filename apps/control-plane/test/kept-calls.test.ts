/** Calls past the queue that go on longer than a moment: they are recorded while they go on, carried by the messages of their permits. */
import { catalogue, CallsCancelled } from "@lamina/api";
import { connectNats } from "@lamina/service";
import { expect, test } from "vitest";
import { lineWorld, type LineWorld } from "./support/direct.ts";
import { done } from "./support/functions.ts";
import { client, worker } from "./support/platform.ts";

/** A call that goes on and is recorded. */
async function keptCall(world: LineWorld) {
  const { line, permit } = world;
  const call = world.start();
  const given = await line.calls();
  expect(await line.next()).toEqual({ type: "kept", permit });
  return { ...call, given };
}

const openCalls = ({ platform }: LineWorld) =>
  platform.sql<{ id: string; state: string; message: string | null; looks: number }>(
    "SELECT id, state::text AS state, message, looks FROM call WHERE ended_at IS NULL",
  );

test("a call that goes on longer than a moment is recorded as running, and its end comes as that of any other", async () => {
  await using world = await lineWorld();
  const { line, permit, queue, services } = world;
  const { id, answer } = await keptCall(world);
  expect(await services.calls.get(client, { id })).toMatchObject({ state: "running", version: 1, startedAt: expect.any(String) });
  expect(await openCalls(world)).toMatchObject([{ id, state: "running", message: permit }]);
  expect(await services.calls.finish(worker, { calls: [{ id, delivery: 1, end: done(2) }] })).toEqual([{ id }]);
  expect(await answer).toEqual([{ id, end: done(2) }]);
  expect(await services.calls.get(client, { id })).toMatchObject({ state: "done", end: done(2) });
  expect(await queue.messages()).toEqual([permit]);
  // The permit is as free as it is offered anew.
  await line.offer(world.functionId, permit);
  const next = world.start();
  const given = await line.calls();
  expect(given).toMatchObject({ permit, calls: [{ id: next.id }] });
  await line.ended(given);
  expect(await next.answer).toEqual([{ id: next.id, end: done("directly") }]);
});

test("an end that crosses with the word that its call is kept is recorded, once", async () => {
  await using world = await lineWorld();
  const { line, permit, platform, services } = world;
  const { id, answer, given } = await keptCall(world);
  await line.ended(given, done("crossed"));
  expect(await answer).toEqual([{ id, end: done("crossed") }]);
  await services.calls.finish(worker, { calls: [{ id, delivery: 1, end: done("told once more") }] });
  expect(await services.calls.get(client, { id })).toMatchObject({ state: "done", end: done("crossed") });
  expect(await platform.sql("SELECT FROM call WHERE id = $1", [id])).toHaveLength(1);
  const next = world.start();
  const givenNext = await line.calls();
  expect(givenNext.permit).toBe(permit);
  await line.ended(givenNext);
  expect(await next.answer).toEqual([{ id: next.id, end: done("directly") }]);
});

test("whoever asks for a call that goes on finds it running, and waits for its end with its caller", async () => {
  await using world = await lineWorld();
  const { line, permit, services } = world;
  const call = world.start();
  await line.calls();
  const waited = services.calls.wait(client, { ids: [call.id], waitMs: 20_000, gatherMs: 0 }, new AbortController().signal);
  expect(await services.calls.list(client, { limit: 1 })).toMatchObject([{ id: call.id, state: "running" }]);
  expect(await line.next()).toEqual({ type: "kept", permit });
  await services.calls.finish(worker, { calls: [{ id: call.id, delivery: 1, end: done(2) }] });
  expect(await call.answer).toEqual([{ id: call.id, end: done(2) }]);
  expect(await waited).toEqual([{ id: call.id, end: done(2) }]);
});

test("of many calls, those that a runner has are kept, and the others go to the queue", async () => {
  await using world = await lineWorld({ tookMs: 5 });
  const { line, permit } = world;
  const { ids, answer } = world.start(20);
  const given = await line.calls();
  const [first = "", ...others] = given.calls.map(({ id }) => id);
  expect(others.length).toBeGreaterThan(0);
  await line.ended(given, done("directly"), [first]);
  expect(await line.next()).toEqual({ type: "kept", permit });
  world.serve();
  await world.services.calls.finish(worker, { calls: others.map((id) => ({ id, delivery: 1, end: done("kept") })) });
  const ends = new Map((await answer).map(({ id, end }) => [id, end]));
  expect([...ends.keys()].toSorted()).toEqual(ids.toSorted());
  expect(ends.get(first)).toEqual(done("directly"));
  for (const id of others) expect(ends.get(id)).toEqual(done("kept"));
  expect(await line.unread()).toEqual([]);
});

test("a kept call that is given back is put on the queue by itself", async () => {
  await using world = await lineWorld();
  const { line, permit, queue } = world;
  const { id, answer, given } = await keptCall(world);
  await line.back(given);
  const taken = await world.take();
  expect(taken.message.calls.map((call) => call.id)).toEqual([id]);
  expect(await openCalls(world)).toMatchObject([{ id, message: null }]);
  expect((await queue.messages()).toSorted()).toEqual([permit, id].toSorted());
  await taken.finish(done("by the queue"));
  expect(await answer).toEqual([{ id, end: done("by the queue") }]);
});

test("a kept call whose line is lost stays with its runner", async () => {
  await using world = await lineWorld();
  const { line, permit, queue, services } = world;
  const { id, answer } = await keptCall(world);
  await line.cut();
  const queued = world.start();
  expect((await world.take()).id).toBe(queued.id);
  expect((await queue.messages()).toSorted()).toEqual([permit, queued.id].toSorted());
  await services.calls.finish(worker, { calls: [id, queued.id].map((one) => ({ id: one, delivery: 1, end: done(2) })) });
  expect(await answer).toEqual([{ id, end: done(2) }]);
  expect(await queued.answer).toEqual([{ id: queued.id, end: done(2) }]);
});

test("a call that goes on is cancelled: that is recorded, its runner and its caller are told, and its permit stays", async () => {
  await using world = await lineWorld();
  const { line, permit, platform, queue, services } = world;
  const names = catalogue(platform.config.namespace);
  await using connection = await connectNats({ ...platform.config.nats, name: "test" });
  const told: string[] = [];
  connection.subscribe(names.callsCancelled, { callback: (_, message) => void told.push(...CallsCancelled.parse(message.json()).calls) });
  await connection.flush();
  const { id, answer } = world.start();
  const given = await line.calls();
  await services.calls.cancel(client, { ids: [id] });
  expect(await line.next()).toEqual({ type: "kept", permit });
  expect(await answer).toEqual([{ id, end: { state: "cancelled" } }]);
  await expect.poll(() => told).toEqual([id]);
  await line.ended(given);
  expect(await services.calls.finish(worker, { calls: [{ id, delivery: 1, end: done(2) }] })).toEqual([{ id }]);
  expect(await services.calls.get(client, { id })).toMatchObject({ state: "cancelled", end: { state: "cancelled" } });
  // As long as the runner has it, it keeps another call from going on in its place.
  expect(await queue.messages()).toEqual([permit]);
});

test("the sweep leaves a call alone that goes on under the message of a permit", async () => {
  await using world = await lineWorld();
  const { permit, platform, queue, services } = world;
  const { id, answer } = await keptCall(world);
  for (const looks of [1, 2]) {
    await platform.sql("UPDATE call SET look_at = now()");
    // Before the second look, all has come of the first.
    await expect.poll(async () => (await openCalls(world)).map((call) => call.looks)).toEqual([looks]);
  }
  expect(await queue.messages()).toEqual([permit]);
  expect(await openCalls(world)).toMatchObject([{ id, message: permit }]);
  await services.calls.finish(worker, { calls: [{ id, delivery: 1, end: done(2) }] });
  expect(await answer).toEqual([{ id, end: done(2) }]);
});

test("a call whose permit's message is lost is sent again by itself", async () => {
  await using world = await lineWorld();
  const { permit, platform, queue } = world;
  const { id, answer } = await keptCall(world);
  await queue.empty(permit);
  await platform.sql("UPDATE call SET look_at = now()");
  const taken = await world.take();
  expect(taken.id).toBe(id);
  await taken.finish(done("by the queue"));
  expect(await answer).toEqual([{ id, end: done("by the queue") }]);
});

test("a call that had the place of a message that comes again is sent by itself, once", async () => {
  await using world = await lineWorld();
  const { functionId, permit, queue, services } = world;
  const { id, answer } = await keptCall(world);
  // The message of the permit says what it brought first, which has ended.
  for (let time = 0; time < 2; time += 1)
    expect(await services.calls.carried(worker, { function: functionId, message: permit, ids: [permit] })).toEqual([]);
  expect((await queue.messages()).toSorted()).toEqual([permit, id].toSorted());
  const taken = await world.take();
  expect(taken.id).toBe(id);
  expect(await services.calls.carried(worker, { function: functionId, message: id, ids: [id] })).toEqual([id]);
  await taken.finish(done("by the queue"));
  expect(await answer).toEqual([{ id, end: done("by the queue") }]);
  expect(await services.calls.carried(worker, { function: functionId, message: id, ids: [id] })).toEqual([]);
});
