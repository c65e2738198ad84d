/** Both sides in turn, so that whatever slows the machine slows both. */
import type { Goal, Sides } from "./case.ts";

export interface Measured {
  /** Milliseconds of each run, in order. */
  readonly ours: readonly number[];
  readonly peer: readonly number[];
}

export interface MeasureOptions {
  readonly runs: number;
  readonly onRun: (ours: number, peer: number) => void;
  readonly signal: AbortSignal;
}

/** So long both sides run without being counted, at least once each: a platform is measured that has been up for a while. */
const WARM_UP_MS = 4_000;

/** Runs that do not count, then so many in turn. */
export async function measure({ ours, peer }: Sides, { runs, onRun, signal }: MeasureOptions): Promise<Measured> {
  const measured: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end;) {
    await ours();
    await peer();
  }
  for (let run = 0; run < runs; run += 1) {
    signal.throwIfAborted();
    const pair = [await ours(), await peer()] as const;
    measured.ours.push(pair[0]);
    measured.peer.push(pair[1]);
    onRun(...pair);
  }
  return measured;
}

export interface Verdict {
  readonly ours: number;
  readonly peer: number;
  /** The ratio of the medians, or their difference in milliseconds, as the goal asks. */
  readonly value: number;
  readonly met: boolean;
}

export function judge(measured: Measured, goal: Goal): Verdict {
  const ours = median(measured.ours);
  const peer = median(measured.peer);
  const value = goal.kind === "ratio" ? ours / peer : ours - peer;
  return { ours, peer, value, met: value <= (goal.kind === "ratio" ? goal.atMost : goal.atMostMs) };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The smallest value that so large a part of all is not greater than; of an even number of values the lower middle. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("There is nothing to measure.");
  return value;
}
