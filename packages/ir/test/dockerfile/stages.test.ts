import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readInstructions } from "../../src/dockerfile/read.ts";
import { acceptedStep, lowered } from "./fragments.ts";

test("whatever instructions are accepted, the stages of the Dockerfile are those of the steps", () => {
  fc.assert(
    fc.property(fc.array(acceptedStep, { minLength: 1, maxLength: 3 }), (steps) => {
      const whole = lowered(steps);
      fc.pre(whole !== undefined);
      const froms = readInstructions([whole?.dockerfile ?? ""]).filter(({ keyword }) => keyword === "FROM");
      expect(froms.map(({ rest }) => rest.split(" AS ")[1])).toEqual(steps.map((_, index) => `lamina-${index + 1}`));
    }),
    { numRuns: 300 },
  );
});
