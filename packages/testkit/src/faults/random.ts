import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A generator of numbers; the same seed gives the same numbers. */
export interface Random {
  /** From `low` up to, and without, `high`. */
  between(low: number, high: number): number;
}

export function seededRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  // The first numbers of near seeds are alike.
  for (let dropped = 0; dropped < 20; dropped += 1) generator.next();
  return { between: (low, high) => low + uniformFloat64(generator) * (high - low) };
}
