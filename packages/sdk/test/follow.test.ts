import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Feed, follow } from "../src/client/follow.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a feed goes on over a connection that is taken and never answered", async () => {
  let connections = 0;
  const feed: Feed<string> = {
    url: "http://platform",
    endsNow: false,
    isLast: (event) => event === "last",
    probe: () => Promise.resolve(),
    subscribe: (_after, observer) => {
      connections += 1;
      if (connections > 1) queueMicrotask(() => observer.onData({ id: "1", data: "last" }));
      return { unsubscribe: () => {} };
    },
  };
  const first = follow(feed, {}).next();
  await vi.advanceTimersByTimeAsync(15_000);
  expect(await first).toEqual({ done: false, value: "last" });
});
