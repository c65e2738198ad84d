/** What is compared: something that Lamina does, and the same done by a peer, most often BuildKit's own client. */
import type { Bench } from "./bench.ts";

export interface Case {
  /** On the command line. */
  readonly name: string;
  /** In the table. */
  readonly what: string;
  readonly ours: string;
  readonly peer: string;
  readonly goal: Goal;
  /** Makes what both sides start from. What has to be taken down again goes to `bench.owned`. */
  prepare(bench: Bench): Promise<Sides>;
}

export type Goal =
  /** Ours takes at most so many times as long. */
  | { readonly kind: "ratio"; readonly atMost: number }
  /** Ours takes at most so many milliseconds more. */
  | { readonly kind: "difference"; readonly atMostMs: number };

/** Each call makes one run and returns how long it took, in milliseconds. */
export interface Sides {
  readonly ours: () => Promise<number>;
  readonly peer: () => Promise<number>;
}
