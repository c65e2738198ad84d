/** Functions in Python on a whole platform. */
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { base, type TestPlatform, testPlatform } from "@lamina/testkit";
import { afterAll, beforeAll } from "vitest";
import { pytestFile } from "./support/pytest.ts";

let platform: TestPlatform;
beforeAll(async () => {
  await base("3.13");
  platform = await testPlatform({ uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "" });
}, 300_000);
afterAll(() => platform?.[Symbol.asyncDispose]());

pytestFile("test_functions.py", async () => ({ LAMINA_URL: platform.url, LAMINA_TOKEN: platform.clientToken }));
