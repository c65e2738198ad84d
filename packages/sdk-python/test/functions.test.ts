/** Functions in Python on a whole platform. */
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { base, type TestPlatform, testPlatform } from "@lamina/testkit";
import { appsOf, connect, deployApp } from "lamina";
import { afterAll, beforeAll } from "vitest";
import * as letters from "./support/letters-app.ts";
import { pytestFile } from "./support/pytest.ts";

let platform: TestPlatform;
beforeAll(async () => {
  await base("3.13");
  platform = await testPlatform({ uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "" });
  const client = await connect({ url: platform.url, token: platform.clientToken });
  for (const app of appsOf(letters)) await deployApp(client, app, {});
}, 300_000);
afterAll(() => platform?.[Symbol.asyncDispose]());

const variables = async () => ({ LAMINA_URL: platform.url, LAMINA_TOKEN: platform.clientToken });
pytestFile("test_functions.py", variables);
pytestFile("test_deploy.py", variables);
pytestFile("test_run.py", variables);
