/** Calls past the queue: over the line of a runner, to the permits that it offers. */
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";
import { again, lineWorld } from "./support/direct.ts";
import { deploy, done, endsOf, failed, functionOf, inputOf } from "./support/functions.ts";
import { fakeLine } from "./support/line.ts";
import { client } from "./support/platform.ts";

const never = new AbortController().signal;

test("a call whose caller waits goes over the line, and is known right after its end", async () => {
  await using world = await lineWorld();
  const { line, permit, queue, services } = world;
  const { id, answer } = world.start();
  const given = await line.calls();
  expect(given).toEqual({ type: "calls", permit, calls: [{ id, input: inputOf(0) }] });
  await line.ended(given, done(2));
  expect(await answer).toEqual([{ id, end: done(2) }]);
  const waited = services.calls.wait(client, { ids: [id], waitMs: 0, gatherMs: 0 }, never);
  const got = services.calls.get(client, { id });
  const listed = services.calls.list(client, { app: "shop", limit: 1 });
  expect(await waited).toEqual([{ id, end: done(2) }]);
  const told = { id, app: "shop", function: "f", version: 1, state: "done", retries: 0, end: done(2), startedAt: expect.any(String) };
  expect(await got).toMatchObject(told);
  expect((await got).method).toBeUndefined();
  expect(await listed).toMatchObject([told]);
  expect(await queue.messages()).toEqual([permit]);
});

test("the calls of a method say so, and one that fails is told and recorded as failed", async () => {
  await using world = await lineWorld();
  const { line, services } = world;
  const counter = { function: "Counter", method: "add" };
  const [functionId = ""] = await world.deploy([functionOf(world.materials, "Counter", { methods: ["add"] })], counter);
  await line.offer(functionId, "of the counter");
  const { id, answer } = world.start(1, counter);
  const given = await line.calls();
  expect(given).toMatchObject({ permit: "of the counter", method: "add", calls: [{ id }] });
  await line.ended(given, failed());
  expect(await answer).toEqual([{ id, end: failed() }]);
  expect(await services.calls.get(client, { id })).toMatchObject({ method: "add", version: 2, state: "failed", end: failed() });
});

test("a permit is used by one call after the other, and not by two at once", async () => {
  await using world = await lineWorld();
  const { line, permit } = world;
  const first = world.start();
  const given = await line.calls();
  const meanwhile = world.start();
  const queued = await world.take();
  expect(queued.id).toBe(meanwhile.id);
  await queued.finish(done("by the queue"));
  await line.ended(given);
  const next = world.start();
  const givenNext = await line.calls();
  expect(givenNext).toMatchObject({ permit, calls: [{ id: next.id }] });
  await line.ended(givenNext);
  for (const { id, answer } of [first, next]) expect(await answer).toEqual([{ id, end: done("directly") }]);
  expect(await meanwhile.answer).toEqual([{ id: meanwhile.id, end: done("by the queue") }]);
});

test("a call that nobody waits for, or that was asked for before, or for which there is no permit, goes to the queue", async () => {
  await using world = await lineWorld();
  const { line, permit, queue, services } = world;
  const unwaited = world.start(1, { waitMs: 0 });
  expect(await unwaited.answer).toEqual([]);
  expect((await world.take()).id).toBe(unwaited.id);
  const repeated = world.start(1, { again: true });
  expect((await world.take()).id).toBe(repeated.id);
  await line.send({ type: "withdraw", permit });
  const withdrawn = world.start();
  expect((await world.take()).id).toBe(withdrawn.id);
  expect(await queue.messages()).toHaveLength(4);
  expect(await line.unread()).toEqual([]);
  await services.calls.cancel(client, { ids: [unwaited.id, repeated.id, withdrawn.id] });
  expect(await withdrawn.answer).toEqual([{ id: withdrawn.id, end: { state: "cancelled" } }]);
});

test("a permit that was withdrawn while a call goes on is not used after it", async () => {
  await using world = await lineWorld();
  const { line, permit } = world;
  const last = world.start();
  const given = await line.calls();
  await line.send({ type: "withdraw", permit });
  await line.ended(given);
  expect(await last.answer).toEqual([{ id: last.id, end: done("directly") }]);
  const next = world.start();
  const queued = await world.take();
  expect(queued.id).toBe(next.id);
  await queued.finish(done(1));
  expect(await next.answer).toEqual([{ id: next.id, end: done(1) }]);
});

test("a call that its runner gives back goes to the queue, and its caller gets its end from there", async () => {
  await using world = await lineWorld();
  const { line, queue } = world;
  const { id, answer } = world.start();
  await line.back(await line.calls());
  const queued = await world.take();
  expect(queued.message).toEqual({ calls: [{ id, input: inputOf(0) }] });
  await queued.finish(done("by the queue"));
  expect(await answer).toEqual([{ id, end: done("by the queue") }]);
  // The permit went with it.
  const next = world.start();
  expect((await world.take()).id).toBe(next.id);
  expect(await queue.messages()).toContain(next.id);
});

test("a call whose line is lost goes to the queue, and its caller gets its end from there", async () => {
  await using world = await lineWorld();
  const { functionId, line, platform, url } = world;
  const { id, answer } = world.start();
  await line.calls();
  await line.cut();
  const queued = await world.take();
  expect(queued.message).toEqual({ calls: [{ id, input: inputOf(0) }] });
  await queued.finish(done("by the queue"));
  expect(await answer).toEqual([{ id, end: done("by the queue") }]);
  const next = world.start();
  expect((await world.take()).id).toBe(next.id);
  await using other = await fakeLine(url, platform.config.tokens.worker);
  await other.offer(functionId, "another");
  const third = world.start();
  await other.ended(await other.calls());
  expect(await third.answer).toEqual([{ id: third.id, end: done("directly") }]);
});

test("who asks again for a call that goes on starts nothing twice, and both get its end", async () => {
  await using world = await lineWorld();
  const { line, permit, platform, queue, services } = world;
  const first = world.start();
  const given = await line.calls();
  const second = world.start(1, again(first.id));
  expect(await line.next()).toEqual({ type: "kept", permit });
  await line.ended(given);
  for (const { answer } of [first, second]) expect(await answer).toEqual([{ id: first.id, end: done("directly") }]);
  expect(await line.unread()).toEqual([]);
  expect(await queue.messages()).toEqual([permit]);
  expect(await platform.sql("SELECT FROM call")).toHaveLength(2);
  expect(await services.calls.get(client, { id: first.id })).toMatchObject({ state: "done" });
});

test("who names a call that goes on, without saying that it was asked for before, starts nothing twice either", async () => {
  await using world = await lineWorld({ morePermits: ["another"] });
  const { line } = world;
  const { id, answer } = world.start();
  const given = await line.calls();
  const other = world.start(1, { calls: [{ id, input: inputOf(0) }] });
  expect((await line.next()).type).toBe("kept");
  await line.ended(given);
  expect(await answer).toEqual([{ id, end: done("directly") }]);
  expect(await other.answer).toEqual([{ id, end: done("directly") }]);
  expect(await line.unread()).toEqual([]);
});

test("a call that a request names twice goes over the line once", async () => {
  await using world = await lineWorld({ tookMs: 1 });
  const { line, permit } = world;
  const call = { id: uuid(), input: inputOf(1) };
  const { answer } = world.start(2, { calls: [call, call] });
  const given = await line.calls();
  expect(given).toEqual({ type: "calls", permit, calls: [call] });
  await line.ended(given);
  expect(await answer).toEqual([{ id: call.id, end: done("directly") }]);
  expect(await line.unread()).toEqual([]);
});

test("who asks again for a call that has ended gets the end that it had", async () => {
  await using world = await lineWorld();
  const { line, permit, queue } = world;
  const first = world.start();
  await line.ended(await line.calls());
  await first.answer;
  const second = world.start(1, again(first.id));
  expect(await second.answer).toEqual([{ id: first.id, end: done("directly") }]);
  expect(await line.unread()).toEqual([]);
  expect(await queue.messages()).toEqual([permit]);
});

test("when another version was deployed, no call goes to permits of the old one", async () => {
  await using world = await lineWorld();
  const { line, platform, services } = world;
  const changed = [functionOf(world.materials, "f", { memoryMib: 256 })];
  await deploy(platform, changed);
  for (const { id, answer } of [world.start(1, { waitMs: 1 }), world.start(1, { waitMs: 1 })]) {
    expect(await answer).toEqual([]);
    expect(await services.calls.get(client, { id })).toMatchObject({ version: 2, state: "queued" });
  }
  const [functionId = ""] = await world.deploy(changed, { function: "f" });
  await line.offer(functionId, "of the new one");
  const after = world.start();
  const given = await line.calls();
  expect(given).toMatchObject({ permit: "of the new one", calls: [{ id: after.id }] });
  await line.ended(given);
  expect(await after.answer).toEqual([{ id: after.id, end: done("directly") }]);
  expect(await services.calls.get(client, { id: after.id })).toMatchObject({ version: 2, state: "done" });
});

test("when the app was stopped, no call goes to its permits", async () => {
  await using world = await lineWorld();
  await world.services.apps.stop(client, { app: "shop" });
  await expect(world.start().answer).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await world.line.unread()).toEqual([]);
});

test("a call that goes on when its function is stopped ends as its runner says", async () => {
  await using world = await lineWorld();
  const { functionId, line, platform, services } = world;
  const { id, answer } = world.start();
  const given = await line.calls();
  // Its runner has been told, and waits for the call.
  await platform.sql("UPDATE function_version SET state = 'stopped' WHERE id = $1", [functionId]);
  const asked = services.calls.get(client, { id });
  await line.ended(given);
  expect(await answer).toEqual([{ id, end: done("directly") }]);
  await asked.catch(() => undefined);
  expect(await services.calls.get(client, { id })).toMatchObject({ state: "done", end: done("directly") });
});

test("a control plane that is told of no deployment learns of it with the first end that it records", async () => {
  await using world = await lineWorld();
  const { functionId, line, platform, services } = world;
  // As by another control plane, of which no word comes.
  await platform.sql("UPDATE function_version SET state = 'draining' WHERE id = $1", [functionId]);
  const last = world.start();
  await line.ended(await line.calls());
  await last.answer;
  expect(await services.calls.get(client, { id: last.id })).toMatchObject({ state: "done" });
  await expect(world.start().answer).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await line.unread()).toEqual([]);
});

test("many short calls go to all permits in parts, and never in two at once to one", async () => {
  await using world = await lineWorld({ tookMs: 1, morePermits: ["another"] });
  const { line, permit, platform, queue } = world;
  const { ids, answer } = world.start(100);
  const [one, other] = [await line.calls(), await line.calls()];
  expect([one.permit, other.permit].toSorted()).toEqual([permit, "another"].toSorted());
  expect(await line.unread()).toEqual([]);
  const [first = "", ...rest] = one.calls.map(({ id }) => id);
  expect(rest.length).toBeGreaterThan(0);
  await line.ended(one, done("directly"), [first]);
  expect(await line.unread()).toEqual([]);
  await line.ended(one, done("directly"), rest);
  const next = await line.calls();
  expect(next.permit).toBe(one.permit);
  expect(await line.unread()).toEqual([]);
  await Promise.all([line.ended(next), line.ended(other)]);
  line.serve();
  const ends = new Map((await answer).map(({ id, end }) => [id, end]));
  const byHand = new Set([one, other, next].flatMap(({ calls }) => calls.map(({ id }) => id)));
  expect(ids.map((id) => ends.get(id))).toEqual(
    ids.map((id, index) => (byHand.has(id) ? done("directly") : { state: "done", result: inputOf(index) })),
  );
  expect(await endsOf(platform, ids)).toEqual(ends);
  expect(await platform.sql("SELECT FROM call WHERE state = 'done'")).toHaveLength(101);
  expect(await queue.messages()).toEqual([permit]);
});

test("calls of unknown length go to a permit each, or to the queue where there are more of them", async () => {
  await using world = await lineWorld({ morePermits: ["another"] });
  const { line, permit } = world;
  const three = world.start(3, { waitMs: 1 });
  const queued = [(await world.take()).id, (await world.take()).id, (await world.take()).id];
  expect(queued.toSorted()).toEqual(three.ids.toSorted());
  expect(await line.unread()).toEqual([]);
  const two = world.start(2);
  const given = [await line.calls(), await line.calls()];
  expect(given.map((one) => one.permit).toSorted()).toEqual([permit, "another"].toSorted());
  for (const one of given) await line.ended(one);
  expect((await two.answer).map(({ id }) => id).toSorted()).toEqual(two.ids.toSorted());
});

test("calls that would take too long for the permits that there are go to the queue", async () => {
  await using world = await lineWorld({ tookMs: 300 });
  const { functionId, line } = world;
  const { ids } = world.start(2);
  expect([(await world.take()).id, (await world.take()).id].toSorted()).toEqual(ids.toSorted());
  expect(await line.unread()).toEqual([]);
  await line.offer(functionId, "another");
  const both = world.start(2);
  for (const given of [await line.calls(), await line.calls()]) await line.ended(given);
  expect((await both.answer).map(({ id }) => id).toSorted()).toEqual(both.ids.toSorted());
});

test("where a part is given back, its calls go to the queue, and the other permits do the rest", async () => {
  await using world = await lineWorld({ tookMs: 1, morePermits: ["another"] });
  const { line } = world;
  const { ids, answer } = world.start(100);
  const [one, other] = [await line.calls(), await line.calls()];
  await line.back(one);
  world.serve();
  line.serve();
  await line.ended(other);
  const ends = new Map((await answer).map(({ id, end }) => [id, end]));
  expect([...ends.keys()].toSorted()).toEqual(ids.toSorted());
  for (const { id } of other.calls) expect(ends.get(id)).toEqual(done("directly"));
  const { services } = world;
  const versions = await services.calls.list(client, { limit: 1_000 });
  expect(versions.filter(({ state }) => state === "done")).toHaveLength(101);
});

test("where all permits are given back or lost, all calls go to the queue", async () => {
  await using world = await lineWorld({ tookMs: 1, morePermits: ["another"] });
  const { line } = world;
  const { ids, answer } = world.start(100);
  await line.back(await line.calls());
  await line.cut();
  world.serve();
  expect((await answer).map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
});
