import * as fc from "fast-check";
import { expect, test } from "vitest";
import { acceptedStep, lowered } from "../dockerfile/fragments.ts";
import { stagesOf } from "./stages-of.ts";

const DOCKERFILES = 15;
const STEPS = 20;

test(
  "whatever instructions are accepted, BuildKit finds the stages of the steps, and can read each instruction",
  { timeout: 60_000 },
  async () => {
    for (const steps of fc.sample(fc.array(acceptedStep, { minLength: STEPS, maxLength: STEPS }), DOCKERFILES)) {
      const whole = lowered(steps);
      if (whole === undefined) continue;
      const found = await stagesOf(whole.dockerfile).catch((error: unknown) => [String(error)]);
      // The Dockerfile is there for whoever reads the failure.
      expect({ found, in: whole.dockerfile }).toEqual({ found: whole.stages.map(({ target }) => target), in: whole.dockerfile });
    }
  },
);
