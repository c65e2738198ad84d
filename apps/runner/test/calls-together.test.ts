import { afterAll, beforeAll, expect, test } from "vitest";
import { done, failed, type FunctionWorld, functionWorld } from "./support/function-world.ts";
import { startRunner } from "./support/world.ts";

const FILES = {
  "main.py": `
import os, time

def echo(value):
    print("echo", value)
    return value

def leave_at(value):
    if value == 2: os._exit(5)
    return value

def wait(seconds):
    print("waiting", flush=True)
    time.sleep(seconds)
    return seconds

began = []
def note(value):
    began.append(value)
    if value < 0: raise ValueError(value)
    return began
`,
  "main.mjs": `
const handlers = (globalThis[Symbol.for("lamina.handlers")] ??= new Map());
handlers.set("echo", (value) => { console.log("echo", value); return value; });
`,
};

let here: FunctionWorld;
let runner: AsyncDisposable;
beforeAll(async () => {
  here = await functionWorld(FILES);
  runner = startRunner(here);
});
afterAll(async () => {
  await runner[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
});

const endsOf = (calls: Awaited<ReturnType<FunctionWorld["callTogether"]>>) => Promise.all(calls.map(({ end }) => end));

test.each(["python", "typescript"] as const)("calls of one message end each with its own result and lines, in %s", async (language) => {
  const echo = here[language]("echo");
  const calls = await here.callTogether(
    echo,
    Array.from({ length: 30 }, (_, index) => [index]),
  );
  expect(await endsOf(calls)).toMatchObject(calls.map((_, index) => done(index)));
  for (const [index, { id }] of calls.entries()) {
    expect((await here.lines(echo, id)).flatMap(({ lines }) => lines)).toEqual([`echo ${index}`]);
  }
  await expect.poll(() => here.queuedCalls()).toBe(0);
});

test("a call that ends the process fails, and those behind it go on in another container", async () => {
  const calls = await here.callTogether(here.python("leave_at"), [[0], [1], [2], [3], [4], [5], [6], [7]]);
  expect(await endsOf(calls)).toMatchObject([0, 1, 2, 3, 4, 5, 6, 7].map((value) => (value === 2 ? failed("CALL_CRASHED") : done(value))));
});

test("of a message that comes again, only the calls run that have not ended", async () => {
  let tries = 0;
  here.functions.retry = () => ((tries += 1) < 3 ? 10 : undefined);
  const calls = await here.callTogether(here.python("note"), [[1], [-1], [2]]);
  const ends = await endsOf(calls);
  expect(ends).toMatchObject([done([1]), failed("CALL_FAILED"), done([1, -1, 2])]);
  expect(calls.map(({ id }) => here.functions.recorded.get(id))).toEqual([1, 3, 1]);
  here.functions.retry = () => undefined;
});

/** Calls are sent to a container in advance where the last one was quick. */
async function knownAsQuick(wait: ReturnType<FunctionWorld["python"]>): Promise<void> {
  const calls = await here.callTogether(wait, [[0], [0]]);
  expect(await endsOf(calls)).toMatchObject([done(0), done(0)]);
}

test("none waits in a container behind a call of which it is not known how long it takes", async () => {
  const calls = await here.callTogether(here.python("wait", { timeoutSeconds: 21 }), [[2], [0]]);
  await expect.poll(() => here.functions.sentApart).toContain(calls[1]?.id);
  expect(await calls[0]?.end).toMatchObject(done(2));
});

test("calls that wait behind one that takes long are given messages of their own", async () => {
  const wait = here.python("wait");
  await knownAsQuick(wait);
  const calls = await here.callTogether(wait, [[2], ...Array.from({ length: 9 }, () => [0])]);
  const sentApart = () => here.functions.sentApart.filter((id) => calls.some((call) => call.id === id));
  await expect.poll(sentApart).not.toEqual([]);
  expect(await calls[0]?.end).toMatchObject(done(2));
  // Those that were in the container already are done there.
  const others = calls.filter(({ id }) => !sentApart().includes(id));
  expect(await endsOf(others)).toMatchObject(others.map((_, index) => done(index === 0 ? 2 : 0)));
  await expect.poll(() => here.queuedCalls()).toBe(0);
});

test("a cancelled call that has not been sent to the container never runs, and the others do", async () => {
  const wait = here.python("wait", { timeoutSeconds: 22 });
  const calls = await here.callTogether(wait, [[0.1], [600], [0]]);
  const [first, second, third] = calls;
  await expect.poll(() => here.lines(wait, first?.id)).not.toEqual([]);
  await here.cancelCalls(second?.id ?? "");
  expect([await first?.end, await third?.end]).toMatchObject([done(0.1), done(0)]);
  expect(await here.lines(wait, second?.id)).toEqual([]);
  await expect.poll(() => here.queuedCalls()).toBe(0);
});

test("a cancelled call that waits in the container is ended when its turn comes, and the others do", async () => {
  const wait = here.python("wait", { timeoutSeconds: 20 });
  await knownAsQuick(wait);
  const calls = await here.callTogether(wait, [[1], [600], [0]]);
  const [first, second, third] = calls;
  await expect.poll(() => here.lines(wait, first?.id)).not.toEqual([]);
  await here.cancelCalls(second?.id ?? "");
  expect(await first?.end).toMatchObject(done(1));
  expect(await third?.end).toMatchObject(done(0));
  expect(here.functions.recorded.get(second?.id ?? "")).toBeUndefined();
});
