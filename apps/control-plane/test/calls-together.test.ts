import { expect, test } from "vitest";
import {
  deploy,
  done,
  endsOf,
  type FakeRunner,
  fakeRunner,
  functionOf,
  materials,
  startCalls,
  type TakenCall,
} from "./support/functions.ts";
import { client, testControlPlane, type TestControlPlane, worker } from "./support/platform.ts";
import { queueOf } from "./support/queue.ts";

/** The function `f`, of which it is known that its calls take so long. */
async function paced(platform: TestControlPlane, tookMs: number) {
  const { functions } = await deploy(platform, [functionOf(await materials(platform), "f")]);
  const functionId = functions[0]?.id ?? "";
  const runner = await fakeRunner(platform, functionId);
  await startCalls(platform);
  await (await runner.take()).finish(done(0), tookMs);
  return { functionId, runner };
}

const ids = ({ message }: TakenCall): string[] => message.calls.map(({ id }) => id);

async function takeAll(runner: FakeRunner, messages: number): Promise<TakenCall[]> {
  const taken: TakenCall[] = [];
  while (taken.length < messages) taken.push(await runner.take());
  return taken;
}

test("short calls that are started at once go together, those that take long do not", async () => {
  await using platform = await testControlPlane();
  const { runner } = await paced(platform, 3);
  await using _ = runner;
  const calls = await startCalls(platform, 7);
  const taken = await takeAll(runner, 3);
  expect(taken.map(ids)).toEqual([calls.slice(0, 3), calls.slice(3, 6), calls.slice(6)]);
  for (const one of taken) await one.finish(done(1), 60);
  expect([...(await endsOf(platform, calls)).values()]).toEqual(calls.map(() => done(1)));
  const slow = await startCalls(platform, 2);
  expect((await takeAll(runner, 2)).map(ids)).toEqual(slow.map((id) => [id]));
});

test("many calls that are started at once go in larger parts, and in several all the same", async () => {
  await using platform = await testControlPlane();
  const { runner } = await paced(platform, 1);
  await using _ = runner;
  const calls = await startCalls(platform, 240);
  const taken = await takeAll(runner, 8);
  expect(taken.map((one) => ids(one).length)).toEqual(Array.from({ length: 8 }, () => 30));
  for (const one of taken) await one.finish(done(1), 1);
  expect((await endsOf(platform, calls)).size).toBe(240);
});

test("calls of which nothing is known go together where there are many, and each by itself where there are few", async () => {
  await using platform = await testControlPlane();
  const { functions } = await deploy(platform, [functionOf(await materials(platform), "f")]);
  await using queue = await queueOf(platform, functions[0]?.id ?? "");
  await startCalls(platform, 63);
  expect(await queue.messages()).toHaveLength(63);
  await queue.empty();
  await startCalls(platform, 320);
  expect(await queue.messages()).toHaveLength(32);
});

test("a message stays on its queue until the last of its calls is cancelled", async () => {
  await using platform = await testControlPlane();
  const { functionId, runner } = await paced(platform, 1);
  await runner[Symbol.asyncDispose]();
  await using queue = await queueOf(platform, functionId);
  const calls = await startCalls(platform, 3);
  const [message = ""] = await queue.messages();
  const stillCarried = () => platform.services.calls.carried(worker, { function: functionId, message, ids: calls });
  expect((await stillCarried()).toSorted()).toEqual(calls.toSorted());
  await platform.services.calls.cancel(client, { ids: calls.slice(0, 1) });
  await expect.poll(() => platform.sql("SELECT FROM outbox_message")).toEqual([]);
  expect(await queue.messages()).toEqual([message]);
  expect((await stillCarried()).toSorted()).toEqual(calls.slice(1).toSorted());
  await platform.services.calls.cancel(client, { ids: calls });
  await expect.poll(() => queue.messages()).toEqual([]);
});

test("calls that wait behind a slow one get messages of their own, and their first one brings them no more", async () => {
  await using platform = await testControlPlane();
  const { functionId, runner } = await paced(platform, 1);
  await runner[Symbol.asyncDispose]();
  await using queue = await queueOf(platform, functionId);
  const [slow = "", ...others] = await startCalls(platform, 3);
  const [message = ""] = await queue.messages();
  for (let time = 0; time < 2; time += 1) await platform.services.calls.sendApart(worker, { function: functionId, message, ids: others });
  expect((await queue.messages()).toSorted()).toEqual([message, ...others].toSorted());
  expect(await platform.services.calls.carried(worker, { function: functionId, message, ids: [slow, ...others] })).toEqual([slow]);
});

test("calls whose common message was lost are sent again, each by itself", async () => {
  await using platform = await testControlPlane();
  const { functionId, runner } = await paced(platform, 1);
  await runner[Symbol.asyncDispose]();
  await using queue = await queueOf(platform, functionId);
  const calls = await startCalls(platform, 3);
  await platform.services.calls.finish(worker, { calls: [{ id: calls[0] ?? "", delivery: 1, end: done(1) }] });
  await queue.empty();
  await platform.sql("UPDATE call SET look_at = now()");
  await expect.poll(async () => (await queue.messages()).toSorted()).toEqual(calls.slice(1).toSorted());
});
