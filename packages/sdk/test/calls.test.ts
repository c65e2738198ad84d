import { App, Call, Image, LaminaError, Secret } from "lamina";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CallsPlatform, callsPlatform, EndedBy } from "./support/calls.ts";

let platform: CallsPlatform;
beforeAll(async () => {
  platform = await callsPlatform();
});
afterAll(() => platform?.[Symbol.asyncDispose]());
beforeEach(() => {
  platform.handlers.clear();
  platform.started.length = 0;
  platform.cancelled.clear();
});

const image = Image.debianSlim();
const app = new App("numbers");
const double = app.function({ image, name: "double" }, (value: number) => value * 2);

class Counter {
  count = 0;
  enter() {
    this.count = 100;
  }
  add(amount: number) {
    this.count += amount;
    return this.count;
  }
}
const counter = app.cls({ image }, Counter);

const doubling = () => platform.handlers.set("numbers.double", ({ args: [value] }) => Number(value) * 2);

async function all<T>(results: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const result of results) found.push(result);
  return found;
}

async function thrownBy(call: () => Promise<unknown>): Promise<Error> {
  try {
    await call();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new TypeError("it threw no error");
}

test("a variable of secrets has one value in an app: another is refused where its function is made, before anything is built", async () => {
  const secretive = new App("secretive");
  const [one, two] = [Secret.fromDict({ TOKEN: "one" }), Secret.fromDict({ TOKEN: "two" })];
  secretive.function({ image, name: "one", secrets: [one] }, () => 1);
  secretive.function({ image, name: "other", secrets: [two] }, () => 2);
  await expect(secretive.deploy()).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: "other: two secrets of this app give TOKEN different values; name their variables apart",
    info: { reason: "conflicting-secrets", source: { file: import.meta.filename } },
  });
});

describe("remote", () => {
  test("gives what the function gives, by one request once the connection is there", async () => {
    doubling();
    expect(await double.remote(21)).toBe(42);
    const before = platform.requests + platform.overLine;
    expect(await double.remote(4)).toBe(8);
    expect(platform.requests + platform.overLine - before).toBe(1);
    expect(double.local(3)).toBe(6);
  });

  test("carries values that JSON has no notation for, and large ones through the object store", async () => {
    const values = [new Uint8Array([0, 255]), new Date(0), 2n ** 70n, Number.NaN, -0, { a: [null, { $lamina: 1 }] }, "x".repeat(200_000)];
    const echo = app.function({ image, name: "echo" }, (...given: unknown[]) => given);
    platform.handlers.set("numbers.echo", ({ args }) => args);
    expect(await echo.remote(...values)).toEqual(values);
  });

  test("methods of a class are called by their names", async () => {
    platform.handlers.set("numbers.Counter.add", ({ args: [amount] }) => 100 + Number(amount));
    expect(await counter.add.remote(5)).toBe(105);
    expect(Object.keys(counter)).toEqual(["add"]);
    expect(await App.lookup("numbers").cls<Counter>("Counter").add.remote(6)).toBe(106);
  });

  test("another program calls by the names alone", async () => {
    doubling();
    expect(await App.lookup("numbers").function<(value: number) => number>("double").remote(5)).toBe(10);
  });

  test("throws what the function threw: its class where it is JavaScript's own, its name always, and both stacks", async () => {
    platform.handlers.set("numbers.double", () => {
      throw new RangeError("too much");
    });
    const error = await thrownBy(() => double.remote(1));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ name: "RangeError", message: "too much" });
    expect(error.stack).toMatch(/^RangeError: too much\n +at work \(user\.ts:3:5\)\n.*called from here[^]*calls\.test\.ts/);
    expect(error.cause).toMatchObject({ code: "CALL_FAILED" });

    platform.handlers.set("numbers.double", () => {
      throw Object.assign(new Error("no such key"), { name: "KeyError" });
    });
    expect(await thrownBy(() => double.remote(1))).toMatchObject({ name: "KeyError", message: "no such key" });
  });

  test("what the platform has to say is a LaminaError with its code", async () => {
    platform.handlers.set("numbers.double", () => {
      throw new EndedBy({ state: "failed", error: { code: "CALL_TIMED_OUT", message: "It took longer than 5 s." } });
    });
    const error = await thrownBy(() => double.remote(1));
    expect(error).toBeInstanceOf(LaminaError);
    expect(error).toMatchObject({ code: "CALL_TIMED_OUT" });
  });

  test("of a function that is not there says how to have it there", async () => {
    const error = await thrownBy(() => double.remote(1));
    expect(error).toMatchObject({ code: "NOT_FOUND", message: expect.stringMatching(/lamina deploy FILE.*app\.run\(\)/) });
  });

  test("an argument that cannot be sent is named by its place", async () => {
    const give = app.function({ image, name: "give" }, (value: unknown) => value);
    const error = await thrownBy(() => give.remote({ list: [1, () => 2] }));
    expect(error).toMatchObject({ code: "VALUE_UNREADABLE", message: expect.stringContaining("args[0].list[1] is a function") });
  });
});

describe("spawn", () => {
  test("starts a call that any process finds by its id, waits for and cancels", async () => {
    const gate = Promise.withResolvers<void>();
    platform.handlers.set("numbers.double", async ({ args: [value] }) => {
      await gate.promise;
      return Number(value) * 2;
    });
    const call = await double.spawn(4);
    const other = await double.spawn(5);
    expect(await thrownBy(() => call.get({ timeout: 0 }))).toMatchObject({ code: "CALL_TIMED_OUT" });
    await other.cancel();
    expect(await thrownBy(() => other.get())).toMatchObject({ code: "CANCELLED" });
    gate.resolve();
    expect(await Call.fromId<number>(call.id).get()).toBe(8);
    expect(() => Call.fromId("4")).toThrow("is no id of a call");
  });

  test("whoever waits may stop waiting", async () => {
    platform.handlers.set("numbers.double", ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", resolve)));
    const call = await double.spawn(4);
    const stop = new AbortController();
    const waiting = thrownBy(() => call.get({ signal: stop.signal }));
    stop.abort();
    expect(await waiting).toMatchObject({ code: "CANCELLED" });
    await call.cancel();
  });
});

describe("map", () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

  test("gives the results in the order of the inputs, however they end, and starts hundreds in one request", async () => {
    const open: (() => void)[] = [];
    platform.handlers.set("numbers.double", async ({ args: [value] }) => {
      await new Promise<void>((resolve) => {
        open.push(resolve);
        if (open.length === 600) for (const end of open.toReversed()) end();
      });
      return Number(value) * 2;
    });
    expect(await all(double.map(numbers(600)))).toEqual(numbers(600).map((value) => value * 2));
    expect(platform.started.length).toBeLessThan(10);
  });

  test("gives results as they come where the order is of no interest", async () => {
    const first = Promise.withResolvers<void>();
    platform.handlers.set("numbers.double", async ({ args: [value] }) => {
      if (value === 0) await first.promise;
      return Number(value) * 2;
    });
    const results = double.map([0, 1, 2], { ordered: false });
    expect(new Set([(await results.next()).value, (await results.next()).value])).toEqual(new Set([2, 4]));
    first.resolve();
    expect(await results.next()).toEqual({ value: 0, done: false });
    expect(await results.next()).toEqual({ value: undefined, done: true });
  });

  test("a slow source does not keep back what it gave before", async () => {
    doubling();
    const more = Promise.withResolvers<number>();
    async function* source() {
      yield 1;
      yield await more.promise;
    }
    const results = double.map(source());
    expect((await results.next()).value).toBe(2);
    more.resolve(7);
    expect((await results.next()).value).toBe(14);
    expect((await results.next()).done).toBe(true);
  });

  test("no more calls are begun than asked for before somebody takes results", async () => {
    doubling();
    let given = 0;
    function* source() {
      for (;;) yield given++;
    }
    const results = double.map(source(), { concurrency: 10 });
    for (const expected of numbers(5)) expect((await results.next()).value).toBe(expected * 2);
    expect(given).toBeLessThanOrEqual(5 + 10);
    await results.return();
  });

  test("leaving the loop cancels what has not ended, and ends the source", async () => {
    platform.handlers.set("numbers.double", ({ args: [value], signal }) =>
      value === 0 ? 0 : new Promise((resolve) => signal.addEventListener("abort", resolve)),
    );
    let ended = false;
    function* source() {
      try {
        for (let value = 0; ; value += 1) yield value;
      } finally {
        ended = true;
      }
    }
    for await (const result of double.map(source(), { concurrency: 20 })) if (result === 0) break;
    expect(ended).toBe(true);
    await expect.poll(() => platform.cancelled.size).toBeGreaterThanOrEqual(19);
  });

  test("the first failure ends it and cancels the others; with onError it is a result", async () => {
    platform.handlers.set("numbers.double", ({ args: [value], signal }) => {
      if (value === 1) throw new TypeError("not one");
      return value === 2 ? new Promise((resolve) => signal.addEventListener("abort", resolve)) : Number(value) * 2;
    });
    expect(await thrownBy(() => all(double.map([0, 1, 2])))).toBeInstanceOf(TypeError);
    await expect.poll(() => platform.cancelled.size).toBeGreaterThanOrEqual(1);
    const results = double.map([0, 1, 3], { onError: (error, index) => `${error.message} at ${index}` });
    expect(await all(results)).toEqual([0, "not one at 1", 6]);
  });

  test("what the source throws is thrown after the results before it", async () => {
    doubling();
    function* source() {
      yield 1;
      throw new Error("no more");
    }
    const results = double.map(source());
    expect(await thrownBy(() => all(results))).toMatchObject({ message: "no more" });
  });

  test("what cannot be iterated over and options that there are not are refused at the call", () => {
    const wrong: { concurrency: number } = { concurrency: 0 };
    expect(() => double.map([1], wrong)).toThrow("map: concurrency: must be 1 or more");
  });
});
