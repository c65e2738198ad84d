import { LaminaError, type RenewedLease } from "@lamina/api";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { holdLease } from "../src/index.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const TERM = 15;
const renewed: RenewedLease = { leaseSeconds: TERM, cancelled: false };

function held(renew: () => Promise<RenewedLease>) {
  const said: string[] = [];
  const lease = holdLease({
    renew,
    leaseSeconds: TERM,
    claimedAt: performance.now(),
    onLost: (reason) => said.push(`lost: ${reason.code}`),
    onCancelled: () => said.push("cancelled"),
    onRetry: () => {},
  });
  return { said, lease };
}

describe("a held lease", () => {
  test("is renewed three times a term, for as long as it is held", async () => {
    const renew = vi.fn<() => Promise<RenewedLease>>(async () => renewed);
    const { said, lease } = held(renew);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(renew).toHaveBeenCalledTimes(12);
    lease.release();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(renew).toHaveBeenCalledTimes(12);
    expect(said).toEqual([]);
  });

  test("is lost by our own clock when nobody answers", async () => {
    const { said } = held(() => new Promise(() => {}));
    await vi.advanceTimersByTimeAsync(TERM * 1000 - 1);
    expect(said).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(said).toEqual(["lost: LEASE_LOST"]);
  });

  test("outlives a control plane that is away for less than a term", async () => {
    let calls = 0;
    const renew = async (): Promise<RenewedLease> => {
      calls += 1;
      if (calls < 5) throw new LaminaError({ code: "UNREACHABLE", message: "away" });
      return renewed;
    };
    const { said, lease } = held(renew);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(said).toEqual([]);
    lease.release();
  });

  test("is lost at once when the control plane says so", async () => {
    const { said } = held(async () => {
      throw new LaminaError({ code: "LEASE_LOST", message: "another has it" });
    });
    await vi.advanceTimersByTimeAsync(TERM * 1000);
    expect(said).toEqual(["lost: LEASE_LOST"]);
  });

  test("tells of a cancellation, at once when asked to look", async () => {
    const { said, lease } = held(async () => ({ ...renewed, cancelled: true }));
    lease.renewNow();
    await vi.advanceTimersByTimeAsync(0);
    expect(said).toEqual(["cancelled"]);
  });
});
