import { describe, expect, test } from "vitest";
import { bestMatch, parsePlatform, type Platform } from "../src/platform.ts";

const platform = (text: string): Platform => parsePlatform(text) ?? { os: "", architecture: "" };

describe("bestMatch", () => {
  test.each([
    ["takes the only one of its kind", { wanted: "linux/amd64", present: ["linux/arm64", "linux/amd64"], expected: "linux/amd64" }],
    [
      "takes an explicit common variant for an absent one",
      { wanted: "linux/arm64", present: ["linux/amd64", "linux/arm64/v8"], expected: "linux/arm64/v8" },
    ],
    [
      "takes an absent variant for the explicit common one",
      { wanted: "linux/arm64/v8", present: ["linux/arm64"], expected: "linux/arm64" },
    ],
    [
      "takes the highest variant that runs",
      { wanted: "linux/arm/v7", present: ["linux/arm/v5", "linux/arm/v6", "linux/arm/v8"], expected: "linux/arm/v6" },
    ],
    ["does not take a higher variant", { wanted: "linux/amd64", present: ["linux/amd64/v3"], expected: undefined }],
    [
      "takes the common variant where the own one is missing",
      { wanted: "linux/amd64/v3", present: ["linux/amd64", "linux/amd64/v4"], expected: "linux/amd64" },
    ],
    ["does not take another system", { wanted: "linux/amd64", present: ["windows/amd64"], expected: undefined }],
    ["does not take an unknown variant", { wanted: "linux/amd64", present: ["linux/amd64/fast"], expected: undefined }],
  ])("%s", (_, { wanted, present, expected }) => {
    const candidates = present.map((text) => ({ text, platform: platform(text) }));
    expect(bestMatch(candidates, platform(wanted))?.text).toBe(expected);
  });
});

test.each(["", "linux", "linux/", "/amd64", "linux/arm/", "linux/arm/v7/x"])("parsePlatform refuses %j", (text) => {
  expect(parsePlatform(text)).toBeUndefined();
});
