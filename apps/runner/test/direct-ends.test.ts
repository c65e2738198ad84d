import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DirectWorld, directWorld, outcomesIn } from "./support/direct-world.ts";
import { done, failed } from "./support/function-world.ts";
import { startRunner } from "./support/world.ts";

const FILES = {
  "main.py": `
import time

def wait(seconds):
    print("waiting", flush=True)
    time.sleep(seconds)
    return seconds
`,
  "slow.py": `
import os, time
time.sleep(3)

def leave(isWanted):
    if isWanted: os._exit(5)
`,
};

let here: DirectWorld;
beforeAll(async () => {
  here = await directWorld(FILES);
});
afterAll(() => here[Symbol.asyncDispose]());

const prints = (served: ReturnType<DirectWorld["python"]>, call: string | undefined) =>
  expect.poll(() => here.lines(served, call)).not.toEqual([]);

const isTold = (id: string) => outcomesIn(here.line.frames).some((outcome) => outcome.id === id);

describe("with a runner", () => {
  let runner: AsyncDisposable;
  beforeAll(async () => {
    runner = startRunner(here);
    await here.line.opened();
  });
  afterAll(() => runner[Symbol.asyncDispose]());

  test("the end of a call that is recorded goes where those of the queue go, and its permit is offered after that", async () => {
    const wait = here.python("wait");
    const permit = await here.permit(wait, 0);
    const [id = ""] = here.give(permit, [[1]]);
    here.line.send({ type: "kept", permit });
    expect(await here.functions.end(id)).toMatchObject(done(1));
    await here.offered(permit, 2);
    expect(isTold(id)).toBe(false);
    // What comes next under it is not recorded.
    const next = here.give(permit, [[0]]);
    expect(await here.told(next)).toMatchObject([done(0)]);
    expect(here.functions.recorded.get(next[0] ?? "")).toBeUndefined();
  });

  test("a recorded call that is cancelled ends and comes back, and its permit is offered", async () => {
    const wait = here.python("wait");
    const permit = await here.permit(wait, 0);
    const [id = ""] = here.give(permit, [[600]]);
    here.line.send({ type: "kept", permit });
    await prints(wait, id);
    await here.cancelCalls(id);
    await here.back([id]);
    await here.offered(permit, 2);
    expect(await here.told(here.give(permit, [[0]]))).toMatchObject([done(0)]);
    expect(isTold(id)).toBe(false);
    expect(here.functions.recorded.get(id)).toBeUndefined();
  });

  test("a line that was lost and is there again gets the offers of what is free, and ends of what went on go where those of the queue go", async () => {
    const wait = here.python("wait");
    const [free, used] = [await here.permit(wait, 0), (await here.call(wait, [0.5])).id];
    await here.offered(used, 1);
    const [id = ""] = here.give(used, [[2]]);
    await prints(wait, id);
    await here.line.lose();
    await here.offered(free, 2);
    expect(await here.functions.end(id)).toMatchObject(done(2));
    await here.offered(used, 2);
    expect(isTold(id)).toBe(false);
    expect(await here.told(here.give(used, [[0]]))).toMatchObject([done(0)]);
    expect(await here.told(here.give(free, [[0]]))).toMatchObject([done(0)]);
  });

  test("what came from the queue for calls of a lost line that are given back comes again", async () => {
    const wait = here.python("wait");
    const permit = await here.permit(wait, 0.3);
    const all = [[1], [0], [0]];
    const ids = here.give(permit, all);
    await prints(wait, ids[0]);
    await here.line.lose();
    const calls = await here.callTogether(wait, all, ids);
    expect(await Promise.all(calls.map(({ end }) => end))).toMatchObject([done(1), done(0), done(0)]);
  });
});

test(
  "a runner that is stopped gives back what goes on and what waits, and their messages come to another",
  { timeout: 120_000 },
  async () => {
    const stopped = startRunner(here);
    await here.line.opened();
    const one = { maxContainers: 1 };
    const wait = here.python("wait", one);
    const leave = here.python("leave", { entry: { language: "python", module: "slow", name: "leave" }, ...one });
    const [waiting, leaving, idle] = [await here.permit(wait, 0), await here.permit(leave, false), here.python("wait", one)];
    const free = await here.permit(idle, 0);
    const goesOn = here.give(waiting, [[600]]);
    await prints(wait, goesOn[0]);
    expect(await here.told(here.give(leaving, [[true]]))).toMatchObject([failed("CALL_CRASHED")]);
    const waits = here.give(leaving, [[false]]);
    const { stream, consumer } = here.names.calls;
    const answers: string[] = [];
    for (const { id } of [wait, leave]) {
      const callback = (_: unknown, message: { string(): string }) => {
        const [answer = ""] = message.string().split(" ");
        // That it is worked on is said all the while.
        if (answer !== "+WPI") answers.push(answer);
      };
      here.connection.subscribe(`$JS.ACK.${stream}.${consumer(id)}.>`, { callback });
    }
    await here.connection.flush();
    // What comes after it is answered, so it is there.
    await here.back(here.give("none", [[]]));
    await stopped[Symbol.asyncDispose]();
    await here.back([...goesOn, ...waits]);
    expect([...goesOn, ...waits].map(isTold)).toEqual([false, false]);
    expect(await here.queuedCalls(idle)).toBe(0);
    expect(here.line.frames).toContainEqual({ type: "withdraw", permit: free });

    // Nobody waits for the time to be over after which what nobody works on comes again.
    await expect.poll(() => answers).toEqual(["-NAK", "-NAK"]);

    await using _another = startRunner(here);
    const calls = [await here.call(wait, [0]), await here.call(leave, [false])];
    expect(await Promise.all(calls.map(({ end }) => end))).toMatchObject([done(0), done(null)]);
  },
);
