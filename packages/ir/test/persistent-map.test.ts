import * as fc from "fast-check";
import { expect, test } from "vitest";
import { PersistentMap } from "../src/persistent-map.ts";

const additions = fc.array(fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d", "e"), fc.nat())), { maxLength: 12 });

test("it holds what a map does to which the same was added, and what was added later is not in it", () => {
  fc.assert(
    fc.property(additions, (all) => {
      const maps = all.reduce<PersistentMap<number>[]>(
        (made, entries) => [...made, (made.at(-1) ?? new PersistentMap()).with(entries)],
        [],
      );
      for (const [index, map] of maps.entries()) {
        const plain = new Map(all.slice(0, index + 1).flat());
        for (const name of ["a", "b", "c", "d", "e"] as const)
          expect([map.has(name), map.get(name)]).toEqual([plain.has(name), plain.get(name)]);
      }
    }),
  );
});
