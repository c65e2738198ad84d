/** When permits are kept and given up, by the clock. */
import { JSON_VALUE, type RunnerFrame } from "@lamina/api";
import type { JsMsg } from "@nats-io/jetstream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HeldMessage } from "../src/functions/held-call.ts";
import { Permits } from "../src/functions/permits.ts";
import { messageDouble } from "./support/message-double.ts";

const SECONDS = 1_000;
const CALL = { id: "a-call", input: { type: JSON_VALUE, data: "" } } as const;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The permits of a function with a line, and what they say and give up. */
function permitsOf(queued: () => Promise<number> = async () => 0) {
  const said: RunnerFrame[] = [];
  const givenUp: string[] = [];
  const line = { isOpen: true, send: (frame: RunnerFrame) => said.push(frame) > 0 };
  const asked = vi.fn<() => Promise<number>>(queued);
  const permits = new Permits({
    functionId: "fn",
    line,
    outcomes: { finish: async () => undefined },
    isWanted: () => true,
    queued: asked,
    giveUp: ({ id }) => givenUp.push(id),
  });
  const settling = { finish: async () => undefined, settled: () => undefined };
  const take = (message: JsMsg) => new HeldMessage(message, { calls: [CALL] }, settling);
  return {
    permits,
    said: () => said.map(({ type }) => type),
    givenUp,
    asked,
    take,
    /** A call under a permit, and what ends it. */
    begin: (id: string) => {
      const [call] = permits.begin(id, { calls: [CALL] }, line)?.calls ?? [];
      if (call === undefined) throw new Error("the permit is not free");
      return async () => {
        await call.carrier.finish({ id: call.id, delivery: 1, end: { state: "done", result: CALL.input } });
        call.carrier.settle(call, undefined);
      };
    },
  };
}

test("a message behind which others waited is not kept", () => {
  const { permits, take, said } = permitsOf();
  expect(permits.keep(take(messageDouble("one", { pending: 1 })))).toBe(false);
  expect(said()).toEqual([]);
});

test("word of one that was queued takes back a free permit at once", () => {
  const { permits, take, said, givenUp } = permitsOf();
  permits.keep(take(messageDouble("one")));
  permits.noted("another");
  expect(said()).toEqual(["offer", "withdraw"]);
  expect(givenUp).toEqual(["one"]);
});

test("word of one that was queued takes back one permit, a free one before one in use", async () => {
  const { permits, take, begin, givenUp } = permitsOf();
  for (const id of ["one", "two", "three"]) permits.keep(take(messageDouble(id)));
  const end = begin("one");
  permits.noted("another");
  expect(givenUp).toEqual(["two"]);
  await end();
  expect(givenUp).toEqual(["two"]);
  permits.begin("one", { calls: [CALL] }, { isOpen: true, send: () => true });
});

test("a permit in use that is taken back is so before the end of its call is told", async () => {
  const { permits, take, begin, said, givenUp } = permitsOf();
  permits.keep(take(messageDouble("one")));
  const end = begin("one");
  permits.noted("another");
  expect(givenUp).toEqual([]);
  await end();
  expect(said()).toEqual(["offer", "withdraw", "ended"]);
  expect(givenUp).toEqual(["one"]);
});

test("while one that was queued has not come, none is kept, until it must be with another runner", async () => {
  const { permits, take } = permitsOf();
  permits.noted("another");
  expect(permits.keep(take(messageDouble("one")))).toBe(false);
  permits.delivered("another");
  expect(permits.keep(take(messageDouble("two")))).toBe(true);
  permits.noted("lost");
  await vi.advanceTimersByTimeAsync(3 * SECONDS);
  expect(permits.keep(take(messageDouble("three")))).toBe(true);
});

test("a message that was held for long is kept only where nothing waits behind it by now", async () => {
  let waiting = 1;
  const { permits, take, said, asked } = permitsOf(async () => waiting);
  const [long, longToo] = [take(messageDouble("one")), take(messageDouble("two"))];
  // The word of it is forgotten when the message is done with.
  permits.noted("another");
  await vi.advanceTimersByTimeAsync(3 * SECONDS);
  expect(permits.keep(long)).toBe(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toHaveBeenCalledOnce();
  expect(said()).toEqual(["offer", "withdraw"]);
  waiting = 0;
  permits.keep(longToo);
  await vi.advanceTimersByTimeAsync(0);
  expect(said()).toEqual(["offer", "withdraw", "offer"]);
});

test.each([
  ["something waits for its place", async () => 1],
  ["it is not known whether something does", () => Promise.reject(new Error("NATS is not there"))],
])("a permit is given up where %s", async (_, queued) => {
  const { permits, take, givenUp } = permitsOf(queued);
  permits.keep(take(messageDouble("one")));
  await vi.advanceTimersByTimeAsync(6 * SECONDS);
  expect(givenUp).toEqual(["one"]);
});

test("a permit in use for whose place something waits is given up after its calls", async () => {
  const { permits, take, begin, givenUp } = permitsOf(async () => 1);
  permits.keep(take(messageDouble("one")));
  const end = begin("one");
  await vi.advanceTimersByTimeAsync(6 * SECONDS);
  expect(givenUp).toEqual([]);
  await end();
  expect(givenUp).toEqual(["one"]);
});

test("a permit is kept as long as it is used, and given up when it is not", async () => {
  const { permits, take, begin, givenUp } = permitsOf();
  permits.keep(take(messageDouble("one")));
  for (let round = 0; round < 10; round += 1) {
    await vi.advanceTimersByTimeAsync(4 * SECONDS);
    await begin("one")();
  }
  expect(givenUp).toEqual([]);
  // A call that takes long uses it all the while.
  const end = begin("one");
  await vi.advanceTimersByTimeAsync(60 * SECONDS);
  await end();
  expect(givenUp).toEqual([]);
  await vi.advanceTimersByTimeAsync(15 * SECONDS);
  expect(givenUp).toEqual(["one"]);
});
