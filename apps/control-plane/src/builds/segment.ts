/** Segments: which missing layers one attempt makes. */
import { agree, type SecretSources } from "../images/secret-sources.ts";

export interface SegmentOptions {
  /** The pool of each layer, the base first. */
  readonly pools: readonly string[];
  readonly secretSources: SecretSources;
  /** Whether another attempt is making a layer. */
  readonly isTaken: (index: number) => boolean;
}

/**
 * The last layer of the segment that begins with `first`: the longest run of one pool, ended before a
 * layer that another attempt is making, and before one for which a secret's variable means another value.
 */
export function endOfSegment(first: number, { pools, secretSources, isTaken }: SegmentOptions): number {
  const sources = { ...secretSources[first] };
  let last = first;
  for (let next = first + 1; next < pools.length; next += 1) {
    const nextSources = secretSources[next] ?? {};
    if (pools[next] !== pools[first] || isTaken(next) || !agree(sources, nextSources)) break;
    Object.assign(sources, nextSources);
    last = next;
  }
  return last;
}
