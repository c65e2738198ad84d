import { catalogue, CallsCancelled } from "@lamina/api";
import { connectNats } from "@lamina/service";
import { jetstreamManager } from "@nats-io/jetstream";
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";
import { client, testControlPlane, type TestControlPlane, worker } from "./support/platform.ts";
import { deploy, done, endsOf, failed, fakeRunner, functionOf, inputOf, jsonValue, materials, startCalls } from "./support/functions.ts";

const never = new AbortController().signal;

/** The app `shop` with the function `f`; the id of its version. */
async function deployF(platform: TestControlPlane, changes: Parameters<typeof functionOf>[2] = {}): Promise<string> {
  const { functions } = await deploy(platform, [functionOf(await materials(platform), "f", changes)]);
  return functions[0]?.id ?? "";
}

async function natsOf({ config }: TestControlPlane) {
  const connection = await connectNats({ ...config.nats, name: "test" });
  const manager = await jetstreamManager(connection);
  const names = catalogue(config.namespace);
  return {
    connection,
    manager,
    names,
    /** How many messages a call has. */
    async messagesOf(functionId: string, call: string): Promise<number> {
      const subject = names.calls.subject(functionId, call);
      const { state } = await manager.streams.info(names.calls.stream, { subjects_filter: subject });
      return state.subjects?.[subject] ?? 0;
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

test("a call is started, waited for and answered", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  await using runner = await fakeRunner(platform, await deployF(platform));
  const id = uuid();
  const answer = services.calls.start(client, { app: "shop", function: "f", calls: [{ id, input: inputOf(1) }], waitMs: 20_000 });
  const taken = await runner.take();
  expect(taken.message).toEqual({ calls: [{ id, input: inputOf(1) }] });
  await services.calls.started(worker, { runner: "r", calls: [{ id, container: "c" }] });
  expect(await services.calls.get(client, { id })).toMatchObject({ state: "running", startedAt: expect.any(String) });
  await taken.finish(done(2));
  expect(await answer).toEqual([{ id, end: done(2) }]);
  const told = { id, app: "shop", function: "f", version: 1, state: "done", retries: 0, end: { state: "done", result: jsonValue(2) } };
  expect(await services.calls.get(client, { id })).toMatchObject(told);
  expect(await services.calls.list(client, { app: "shop", limit: 10 })).toMatchObject([told]);
  expect(await services.calls.list(client, { limit: 10 })).toMatchObject([told]);
});

test("a thousand calls go through, each once", async () => {
  await using platform = await testControlPlane();
  await using runner = await fakeRunner(platform, await deployF(platform));
  runner.serve();
  const calls = await startCalls(platform, 1_000);
  const ends = await endsOf(platform, calls);
  expect(calls.map((id) => ends.get(id))).toEqual(calls.map((_, index) => ({ state: "done", result: inputOf(index) })));
});

test("a call that is started twice runs once, and both are answered", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const functionId = await deployF(platform);
  await using runner = await fakeRunner(platform, functionId);
  await using nats = await natsOf(platform);
  const id = uuid();
  const start = (waitMs: number) =>
    services.calls.start(client, { app: "shop", function: "f", calls: [{ id, input: inputOf(1) }], waitMs });
  const answers = [start(20_000), start(20_000)];
  await (await runner.take()).finish(done(2));
  expect(await Promise.all(answers)).toEqual([[{ id, end: done(2) }], [{ id, end: done(2) }]]);
  expect(await start(0)).toEqual([{ id, end: done(2) }]);
  await expect.poll(() => nats.messagesOf(functionId, id)).toBe(0);
});

test("the first end that is told stays, whoever tells another", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  await deployF(platform);
  const [id = ""] = await startCalls(platform);
  const tell = (delivery: number, end: ReturnType<typeof done>) => services.calls.finish(worker, { calls: [{ id, delivery, end }] });
  expect(await tell(2, done("second delivery"))).toEqual([{ id }]);
  expect(await tell(2, done("told twice"))).toEqual([{ id }]);
  expect(await tell(1, failed())).toEqual([{ id }]);
  expect((await endsOf(platform, [id])).get(id)).toEqual(done("second delivery"));
  const both = await startCalls(platform);
  const told = both.flatMap((call) => [1, 2].map((delivery) => ({ id: call, delivery, end: done(delivery) })));
  expect(await services.calls.finish(worker, { calls: told })).toEqual(told.map((call) => ({ id: call.id })));
  expect((await endsOf(platform, both)).get(both[0] ?? "")).toEqual(done(1));
  expect(await services.calls.finish(worker, { calls: [{ id: uuid(), delivery: 1, end: done(1) }] })).toHaveLength(1);
});

test("a call that fails is tried again as its function says, with growing pauses", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const retries = { max: 2, delayMs: 20, factor: 3, longestDelayMs: 50 };
  await using runner = await fakeRunner(platform, await deployF(platform, { retries }));
  const [id = ""] = await startCalls(platform);
  const first = await runner.take();
  expect(await first.finish(failed())).toBe(20);
  const second = await runner.take();
  expect(second).toMatchObject({ delivery: 2, id });
  // What is told again, or by a delivery that was overtaken, is not counted.
  for (const delivery of [1, 1]) {
    expect(await services.calls.finish(worker, { calls: [{ id, delivery, end: failed() }] })).toEqual([{ id, retryAfterMs: 20 }]);
  }
  expect(await second.finish(failed())).toBe(50);
  expect(await services.calls.get(client, { id })).toMatchObject({ state: "queued", retries: 2 });
  expect(await (await runner.take()).finish(failed("at last"))).toBeUndefined();
  expect((await endsOf(platform, [id])).get(id)).toEqual(failed("at last"));
});

test("a call whose input cannot be read is not tried again", async () => {
  await using platform = await testControlPlane();
  await using runner = await fakeRunner(
    platform,
    await deployF(platform, { retries: { max: 5, delayMs: 0, factor: 1, longestDelayMs: 0 } }),
  );
  const [id = ""] = await startCalls(platform);
  expect(await (await runner.take()).finish(failed("no", "VALUE_UNREADABLE"))).toBeUndefined();
  expect((await endsOf(platform, [id])).get(id)).toEqual(failed("no", "VALUE_UNREADABLE"));
});

test("a call whose message was lost is sent again, and one that waits or has ended is not", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const functionId = await deployF(platform);
  await using nats = await natsOf(platform);
  const [lost = "", waiting = "", over = ""] = await startCalls(platform, 3);
  await services.calls.finish(worker, { calls: [{ id: over, delivery: 1, end: done(1) }] });
  const { stream, subject } = nats.names.calls;
  for (const id of [lost, over]) await nats.manager.streams.purge(stream, { filter: subject(functionId, id) });
  await platform.sql("UPDATE call SET look_at = now()");
  await expect.poll(() => nats.messagesOf(functionId, lost)).toBe(1);
  await expect.poll(async () => (await platform.sql("SELECT FROM call WHERE looks = 0 AND ended_at IS NULL")).length).toBe(0);
  expect(await nats.messagesOf(functionId, waiting)).toBe(1);
  expect(await nats.messagesOf(functionId, over)).toBe(0);
  await using runner = await fakeRunner(platform, functionId);
  runner.serve();
  expect((await endsOf(platform, [lost, waiting])).size).toBe(2);
});

test("calls outlive a NATS that comes back empty", async () => {
  await using platform = await testControlPlane();
  const functionId = await deployF(platform);
  await using nats = await natsOf(platform);
  const [before = ""] = await startCalls(platform);
  await nats.manager.streams.delete(nats.names.calls.stream);
  const [after = ""] = await startCalls(platform);
  await platform.sql("UPDATE call SET look_at = now()");
  await expect.poll(() => nats.messagesOf(functionId, before).catch(() => 0)).toBe(1);
  await expect.poll(() => nats.messagesOf(functionId, after)).toBe(1);
});

test("a cancelled call ends, leaves its queue, and its runner is told", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const functionId = await deployF(platform);
  await using nats = await natsOf(platform);
  const [queued = "", running = "", other = ""] = await startCalls(platform, 3);
  const told: string[] = [];
  nats.connection.subscribe(nats.names.callsCancelled, {
    callback: (_, message) => void told.push(...CallsCancelled.parse(message.json()).calls),
  });
  await nats.connection.flush();
  await services.calls.started(worker, { runner: "r", calls: [{ id: running, container: "c" }] });
  const waiting = services.calls.wait(client, { ids: [queued], waitMs: 20_000, gatherMs: 0 }, never);
  await services.calls.cancel(client, { ids: [queued, running] });
  await services.calls.cancel(client, { ids: [queued] });
  expect(await waiting).toEqual([{ id: queued, end: { state: "cancelled" } }]);
  await expect.poll(() => told.toSorted()).toEqual([queued, running].toSorted());
  expect(await nats.messagesOf(functionId, queued)).toBe(0);
  expect(await nats.messagesOf(functionId, other)).toBe(1);
  expect(await services.calls.finish(worker, { calls: [{ id: running, delivery: 1, end: done(1) }] })).toEqual([{ id: running }]);
  expect(await services.calls.get(client, { id: running })).toMatchObject({ state: "cancelled", end: { state: "cancelled" } });
  await expect(services.calls.cancel(client, { ids: [other, uuid()] })).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await services.calls.get(client, { id: other })).toMatchObject({ state: "queued" });
});

test("who waits at one control plane is told of ends that come to another", async () => {
  await using platform = await testControlPlane();
  await using other = await testControlPlane({ beside: platform });
  await deployF(platform);
  const [id = "", open = ""] = await startCalls(platform, 2);
  const waiting = other.services.calls.wait(client, { ids: [id, open], waitMs: 20_000, gatherMs: 0 }, never);
  await platform.services.calls.finish(worker, { calls: [{ id, delivery: 1, end: done(1) }] });
  expect(await waiting).toEqual([{ id, end: done(1) }]);
  expect(await other.services.calls.wait(client, { ids: [id, open], waitMs: 20_000, gatherMs: 0 }, never)).toEqual([{ id, end: done(1) }]);
  expect(await other.services.calls.wait(client, { ids: [open], waitMs: 1, gatherMs: 0 }, never)).toEqual([]);
  const given = new AbortController();
  const abandoned = other.services.calls.wait(client, { ids: [open], waitMs: 20_000, gatherMs: 0 }, given.signal);
  given.abort();
  expect(await abandoned).toEqual([]);
});

test("who gathers is answered when all have ended, or after so long with those that have", async () => {
  await using platform = await testControlPlane();
  await deployF(platform);
  const [first = "", second = "", open = ""] = await startCalls(platform, 3);
  const wait = (ids: string[], gatherMs: number) => platform.services.calls.wait(client, { ids, waitMs: 20_000, gatherMs }, never);
  const both = wait([first, second], 1_000);
  const some = wait([first, open], 1);
  for (const id of [first, second]) await platform.services.calls.finish(worker, { calls: [{ id, delivery: 1, end: done(1) }] });
  expect(await both).toEqual([first, second].map((id) => ({ id, end: done(1) })));
  expect(await some).toEqual([{ id: first, end: done(1) }]);
});

test("an end of which no word came is found all the same", async () => {
  await using platform = await testControlPlane();
  await deployF(platform);
  const [id = ""] = await startCalls(platform);
  const waiting = platform.services.calls.wait(client, { ids: [id], waitMs: 20_000, gatherMs: 0 }, never);
  await platform.sql("UPDATE call SET state = 'cancelled', ended_at = now() WHERE id = $1", [id]);
  expect(await waiting).toEqual([{ id, end: { state: "cancelled" } }]);
});

test("what cannot be called says what can", async () => {
  await using platform = await testControlPlane();
  const given = await materials(platform);
  await deploy(platform, [functionOf(given, "f"), functionOf(given, "Counter", { methods: ["add", "take"] })]);
  const refused = (changes: Parameters<typeof startCalls>[2], code: string, message: string) =>
    expect(startCalls(platform, 1, changes)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  await refused({ app: "shpo" }, "NOT_FOUND", "There is no app shpo; deployed apps: shop.");
  await refused({ function: "g" }, "NOT_FOUND", "Counter, f");
  await refused({ method: "add" }, "INVALID_INPUT", "f is a function");
  await refused({ function: "Counter" }, "INVALID_INPUT", "add, take");
  await refused({ function: "Counter", method: "subtract" }, "INVALID_INPUT", "subtract");
  expect(await startCalls(platform, 1, { function: "Counter", method: "add" })).toHaveLength(1);
  const wait = platform.services.calls.wait(client, { ids: [uuid(), uuid()], waitMs: 0, gatherMs: 0 }, never);
  await expect(wait).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("nor 1 others") });
});

test("text that a database would refuse goes through calls", async () => {
  await using platform = await testControlPlane();
  await using runner = await fakeRunner(platform, await deployF(platform));
  const text = "\0 and \ud800";
  const id = uuid();
  const input = { ...inputOf(), data: text };
  const start = { app: "shop", function: "f", calls: [{ id, input }], waitMs: 20_000 };
  const answer = platform.services.calls.start(client, start);
  const taken = await runner.take();
  expect(taken.message.calls).toEqual([{ id: taken.id, input }]);
  await taken.finish(failed(text));
  expect(await answer).toEqual([{ id, end: failed(text) }]);
  expect((await platform.services.calls.get(client, { id })).end).toEqual(failed(text));
  expect(await platform.sql("SELECT FROM call WHERE input IS NOT NULL")).toEqual([]);
});

test("an id that another workspace has used tells nothing of its call", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  await deployF(platform);
  const stranger = { workspace: "stranger", role: "client" } as const;
  const [id = "", other = ""] = await startCalls(platform, 2);
  await platform.sql("UPDATE app SET workspace = 'stranger'");
  await platform.sql("UPDATE function_version SET workspace = 'stranger'");
  const calls = [id, other, other].map((call) => ({ id: call, input: inputOf(1) }));
  const answer = services.calls.start(stranger, {
    app: "shop",
    function: "f",
    calls: [...calls, { id: uuid(), input: inputOf(1) }],
    waitMs: 300,
  });
  await services.calls.finish(worker, { calls: [{ id, delivery: 1, end: done("secret") }] });
  expect(await answer).toEqual([]);
});

test("a call that a request names twice is one", async () => {
  await using platform = await testControlPlane();
  await using runner = await fakeRunner(platform, await deployF(platform));
  runner.serve();
  const call = { id: uuid(), input: inputOf(1) };
  const answer = await platform.services.calls.start(client, { app: "shop", function: "f", calls: [call, call], waitMs: 60_000 });
  expect(answer).toEqual([{ id: call.id, end: { state: "done", result: call.input } }]);
});
