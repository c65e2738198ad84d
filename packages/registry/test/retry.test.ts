import { describe, expect, test } from "vitest";
import { RegistryError } from "../src/index.ts";
import { parseRetryAfter, retryDelayMs } from "../src/retry.ts";

const busy = (retryAfterMs?: number) => new RegistryError("UNAVAILABLE", "busy", { retryAfterMs });

describe("retryDelayMs", () => {
  test("doubles with each attempt, and chance halves it at most", () => {
    expect([1, 2, 3].map((attempt) => retryDelayMs(busy(), attempt, 0))).toEqual([250, 500, 1000]);
    expect(retryDelayMs(busy(), 2, 1)).toBe(250);
  });
  test("gives up after the fourth attempt", () => expect(retryDelayMs(busy(), 4, 0)).toBeUndefined());
  test("waits as long as the registry asks", () => expect(retryDelayMs(busy(7000), 1, 0)).toBe(7000));
  test("gives up when the registry asks for more than half a minute", () => expect(retryDelayMs(busy(31_000), 1, 0)).toBeUndefined());
  test("does not repeat what will fail again", () => expect(retryDelayMs(new RegistryError("NOT_FOUND", ""), 1, 0)).toBeUndefined());
});

describe("parseRetryAfter", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  test.each([
    ["3", 3000],
    ["Thu, 01 Jan 2026 00:00:05 GMT", 5000],
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
    ["soon", undefined],
    [null, undefined],
  ])("reads %j", (header, expected) => expect(parseRetryAfter(header, now)).toBe(expected));
});
