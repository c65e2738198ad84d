import { randomUUID } from "node:crypto";
import { ensureStreams } from "@lamina/service";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DirectWorld, directWorld, outcomesIn } from "./support/direct-world.ts";
import { done, failed } from "./support/function-world.ts";
import { startRunner } from "./support/world.ts";

const FILES = {
  "main.py": `
import os, time

began = []
def note(value):
    print("note", value)
    began.append(value)
    return began

def quiet():
    pass

def wait(seconds):
    print("waiting", flush=True)
    time.sleep(seconds)
    return seconds

def leave_at(value):
    if value == 2: os._exit(5)
    return value
`,
};

let here: DirectWorld;
let runner: AsyncDisposable;
beforeAll(async () => {
  here = await directWorld(FILES);
  runner = startRunner(here);
  await here.line.opened();
});
afterAll(async () => {
  await runner[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
});

const ONE = { maxContainers: 1 };
const waitsBriefly = 1;

const linesOf = async (served: ReturnType<DirectWorld["python"]>, call: string | undefined) =>
  (await here.lines(served, call)).flatMap(({ lines }) => lines);
const prints = (served: ReturnType<DirectWorld["python"]>, call: string | undefined) =>
  expect.poll(() => here.lines(served, call)).not.toEqual([]);
/** Where the first frame of a type is among those about a permit. */
const indexOf = (type: string, permit: string) => here.line.frames.findIndex((frame) => frame.type === type && frame.permit === permit);

describe("calls over the line", () => {
  test("are done in the container that is there, one after the other under the permit of a message that stays on the queue", async () => {
    const note = here.python("note");
    const permit = await here.permit(note, 0);
    for (const round of [1, 2, 3]) {
      const ids = here.give(permit, [[round]]);
      expect(await here.told(ids)).toMatchObject([done([0, 1, 2, 3].slice(0, round + 1))]);
      expect(await linesOf(note, ids[0])).toEqual([`note ${round}`]);
      expect(here.functions.recorded.get(ids[0] ?? "")).toBeUndefined();
    }
    expect(here.offers(permit)).toBe(1);
    expect(await here.queuedCalls(note)).toBe(1);
  });

  test("that come in one frame are done in order, each with its own result and lines", async () => {
    const note = here.python("note");
    const permit = await here.permit(note, 0);
    const values = Array.from({ length: 30 }, (_, index) => index + 1);
    const ids = here.give(
      permit,
      values.map((value) => [value]),
    );
    expect(await here.told(ids)).toMatchObject(values.map((value) => done(Array.from({ length: value + 1 }, (_, index) => index))));
    const order = outcomesIn(here.line.frames).map(({ id }) => id);
    expect(order.filter((id) => ids.includes(id))).toEqual(ids);
    for (const [index, id] of ids.entries()) expect(await linesOf(note, id)).toEqual([`note ${index + 1}`]);
  });

  test("are not told to have ended before their lines are in the stream of logs", async () => {
    const note = here.python("note");
    const permit = await here.permit(note, 0);
    const other = await here.permit(here.python("quiet"));
    const manager = await jetstreamManager(here.connection);
    await manager.streams.delete(here.names.logs.stream);
    const id = randomUUID();
    const attempts = here.connection.subscribe(here.names.logs.subject(note.app, id), { max: 1 });
    await here.connection.flush();
    const ids = here.give(permit, [[1]], [id]);
    for await (const _ of attempts) continue;
    // One without lines overtakes it.
    expect(await here.told(here.give(other, [[]]))).toMatchObject([done(null)]);
    expect(outcomesIn(here.line.frames).some((outcome) => outcome.id === id)).toBe(false);
    await ensureStreams(manager, here.names);
    expect(await here.told(ids)).toMatchObject([done([0, 1])]);
    expect(await linesOf(note, id)).toEqual(["note 1"]);
  });

  test("come back where their permit is not there", async () => {
    const ids = here.give(randomUUID(), [[1], [2]]);
    await here.back(ids);
    const note = here.python("note", ONE);
    const permit = await here.permit(note, 0);
    await here.note(note, { id: randomUUID() });
    await here.line.find(() => indexOf("withdraw", permit) !== -1 || undefined);
    const late = here.give(permit, [[1]]);
    await here.back(late);
    expect(await linesOf(note, late[0])).toEqual([]);
  });

  test("come back where their permit is in use", async () => {
    const wait = here.python("wait", ONE);
    const permit = await here.permit(wait, 0);
    const first = here.give(permit, [[waitsBriefly]]);
    await here.back(here.give(permit, [[0]]));
    expect(await here.told(first)).toMatchObject([done(waitsBriefly)]);
  });

  test("behind one that takes long are given back after a moment, and that one ends", async () => {
    const wait = here.python("wait");
    const permit = await here.permit(wait, 0.3);
    const [long = "", ...others] = here.give(permit, [[waitsBriefly], [0], [0]]);
    await here.back(others);
    expect(outcomesIn(here.line.frames).map(({ id }) => id)).not.toContain(long);
    expect(await here.told([long])).toMatchObject([done(waitsBriefly)]);
    for (const id of others) expect(await linesOf(wait, id)).toEqual([]);
    await expect.poll(() => here.queuedCalls(wait)).toBe(0);
  });

  test("that wait in the container behind one that takes long are done there, and the others are given back", async () => {
    const wait = here.python("wait");
    const permit = await here.permit(wait, 0);
    const ids = here.give(permit, [[waitsBriefly], ...Array.from({ length: 9 }, () => [0])]);
    const isBack = (id: string) => here.line.frames.some((frame) => frame.type === "back" && frame.calls.includes(id));
    await here.told(ids.slice(0, 1));
    await here.line.find((frames) => {
      const ended = outcomesIn(frames).map(({ id }) => id);
      return ids.every((id) => ended.includes(id) || isBack(id)) || undefined;
    });
    const others = ids.filter((id) => !isBack(id));
    expect(others.length).toBeLessThan(ids.length);
    expect(await here.told(others)).toMatchObject(others.map((_, index) => done(index === 0 ? waitsBriefly : 0)));
  });

  test("of which one ends the process: it has crashed, and those behind it are done in another container", async () => {
    const leave = here.python("leave_at");
    const permit = await here.permit(leave, 0);
    const values = [0, 1, 2, 3, 4, 5, 6, 7];
    const ids = here.give(
      permit,
      values.map((value) => [value]),
    );
    expect(await here.told(ids)).toMatchObject(values.map((value) => (value === 2 ? failed("CALL_CRASHED") : done(value))));
    expect(await here.told(here.give(permit, [[8]]))).toMatchObject([done(8)]);
  });
});

describe("a call that is queued", () => {
  test("while a permit is free is done, when there is word of it", async () => {
    const note = here.python("note", ONE);
    const permit = await here.permit(note, 0);
    const call = await here.call(note, [1]);
    await here.note(note, call);
    expect(await call.end).toMatchObject(done([0, 1]));
    expect(indexOf("withdraw", permit)).not.toBe(-1);
    await here.offered(call.id, 1);
  });

  test("while a permit is free is done, though no word of it comes", async () => {
    const note = here.python("note", ONE);
    const permit = await here.permit(note, 0);
    const call = await here.call(note, [1]);
    expect(await call.end).toMatchObject(done([0, 1]));
    expect(indexOf("withdraw", permit)).not.toBe(-1);
  });

  test("while a call over the line has the only place is done after that, whose permit is not free again", async () => {
    const wait = here.python("wait", ONE);
    const permit = await here.permit(wait, 0);
    const ids = here.give(permit, [[waitsBriefly]]);
    await prints(wait, ids[0]);
    const call = await here.call(wait, [0]);
    await here.note(wait, call);
    expect(await here.told(ids)).toMatchObject([done(waitsBriefly)]);
    expect(await call.end).toMatchObject(done(0));
    const ended = here.line.frames.findIndex((frame) => frame.type === "ended" && frame.permit === permit);
    expect(indexOf("withdraw", permit)).not.toBe(-1);
    expect(indexOf("withdraw", permit)).toBeLessThan(ended);
    expect(here.offers(permit)).toBe(1);
  });
});

describe("no message is kept", () => {
  test("of a function that tries its calls again", async () => {
    const note = here.python("note", { retries: { max: 1, delayMs: 0, factor: 1, longestDelayMs: 0 } });
    const call = await here.call(note, [0]);
    await call.end;
    await expect.poll(() => here.queuedCalls(note)).toBe(0);
    expect(here.offers(call.id)).toBe(0);
  });

  test("of a function that is drained, neither one that was kept before nor one more", async () => {
    const note = here.python("note", ONE);
    const permit = await here.permit(note, 0);
    here.change(note.id, { ...note, state: "draining" });
    // What is deployed after that is served after that.
    await here.permit(here.python("quiet"));
    expect(indexOf("withdraw", permit)).not.toBe(-1);
    await expect.poll(() => here.queuedCalls(note)).toBe(0);
    const call = await here.call(note, [1]);
    await call.end;
    await expect.poll(() => here.queuedCalls(note)).toBe(0);
    expect(here.offers(call.id)).toBe(0);
  });

  test("of a function that is drained when its call over the line has ended", async () => {
    const wait = here.python("wait", ONE);
    const permit = await here.permit(wait, 0);
    const ids = here.give(permit, [[waitsBriefly]]);
    await prints(wait, ids[0]);
    here.change(wait.id, { ...wait, state: "draining" });
    expect(await here.told(ids)).toMatchObject([done(waitsBriefly)]);
    await expect.poll(() => here.queuedCalls(wait)).toBe(0);
    expect(indexOf("withdraw", permit)).not.toBe(-1);
    expect(here.offers(permit)).toBe(1);
  });

  test("without a line", async () => {
    await here.line.lose({ takesNone: true });
    const note = here.python("note", ONE);
    const call = await here.call(note, [0]);
    await call.end;
    here.line.take();
    await here.line.opened();
    await here.permit(note, 1);
    expect(here.offers(call.id)).toBe(0);
    expect(await here.queuedCalls(note)).toBe(1);
  });
});
