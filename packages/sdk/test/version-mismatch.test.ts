import { LaminaError } from "lamina";
import { expect, test } from "vitest";
import { explainMismatch } from "../src/client/version-mismatch.ts";

const answer = new LaminaError({ code: "NOT_FOUND", message: 'No procedure found on path "images.plan"' });
const explained = (version: string, error = answer) => explainMismatch(error, async () => ({ version }));

test("a platform that is older is to be upgraded, and an SDK that is older", async () => {
  expect((await explained("0.0.9")).info).toEqual({
    code: "VERSION_MISMATCH",
    reason: "older-platform",
    message:
      'The platform is version 0.0.9, and this SDK 0.1.0: upgrade the platform. It answered: No procedure found on path "images.plan"',
  });
  expect((await explained("0.10.0")).message).toContain(": upgrade the packages `lamina` and `@lamina/cli`. It answered");
  expect((await explained("0.10.0")).reason).toBe("older-client");
  expect((await explained("1.0.0")).message).toContain("upgrade the packages");
});

test("a builder version that only the SDK knows is told with the place that asks for it", async () => {
  const source = { file: "/a.ts", line: 1, column: 1 };
  const unknown = new LaminaError({ code: "UNKNOWN_BUILDER_VERSION", message: "There is no builder version.", source });
  expect((await explained("0.0.9", unknown)).info).toMatchObject({ code: "VERSION_MISMATCH", reason: "older-platform", source });
});

test("an error that has nothing to do with versions stays as it is", async () => {
  expect(await explained("0.1.7")).toBe(answer);
  const failed = new LaminaError({ code: "SECRET_MISSING", message: "There is no secret." });
  expect(await explained("0.2.0", failed)).toBe(failed);
  const placed = new LaminaError({ code: "INVALID_INPUT", message: "No.", source: { file: "/a.ts", line: 1, column: 1 } });
  expect(await explained("0.2.0", placed)).toBe(placed);
  expect(await explainMismatch(answer, () => Promise.reject(new Error("away")))).toBe(answer);
});
