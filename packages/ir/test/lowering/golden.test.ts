import { gpuStandIn } from "@lamina/testkit";
import { describe, expect, test } from "vitest";
import { lower } from "../../src/index.ts";
import { type GoldenCase, goldenCases, requestOf } from "../golden/cases.ts";
import { wheelIndex } from "../golden/wheel-index.ts";
import { authorities } from "./authorities.ts";
import { pythonBase, shellBase, withUser } from "./bases.ts";
import { buildLowered, expectBuilt } from "./build.ts";

describe("every golden Dockerfile builds, and the image is what was asked for", () => {
  test.each(goldenCases.map((golden) => ({ name: golden.name, golden })))("$name", async ({ golden }) => {
    await using index = await wheelIndex("t0ken");
    await gpuStandIn();
    const base = await (golden.base === "python" ? pythonBase() : shellBase());
    const from = golden.user === undefined ? base : await withUser(base, golden.user);
    const outcome = await buildLowered(
      { ...golden, from, ca: await authorities(), secrets: { ...golden.secrets, ...secretsOf(golden, index.host) } },
      lowerOnto(golden, from),
    );
    expect(expectBuilt(outcome).status).toBe("built");
  });
});

function lowerOnto(golden: GoldenCase, from: string) {
  return lower({ ...requestOf(golden), from });
}

function secretsOf(golden: GoldenCase, indexHost: string): Record<string, string> {
  return golden.name === "pip-install-with-secrets" ? { INDEX_HOST: indexHost, package_token: "t0ken" } : {};
}
