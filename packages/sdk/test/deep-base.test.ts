/** A base with many layers of its own: those of the image come on top of them. */
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { extendBase, servers, type TestPlatform, testPlatform, tinyBase } from "@lamina/testkit";
import { buildImage, type Client, connect, Image } from "lamina";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lookInside } from "./support/look-inside.ts";

const MINUTES = 60_000;

let platform: TestPlatform;
let client: Client;
beforeAll(async () => {
  platform = await testPlatform({ uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "" });
  client = await connect({ url: platform.url, token: platform.clientToken });
}, MINUTES);
afterAll(() => platform?.[Symbol.asyncDispose]());

/** The tiny base under layers of one file each. */
async function baseOf(layers: number): Promise<string> {
  const { registry } = await servers();
  let name = await tinyBase();
  for (let layer = 2; layer <= layers; layer += 1) {
    name = await extendBase(name, registry, {
      files: [{ name: `layer-${layer}`, content: `${layer}` }],
      repository: "bases/deep",
      tag: `${layer}`,
    });
  }
  return name;
}

test("a base with more layers than Docker would leave room for takes those of an image on top", { timeout: 5 * MINUTES }, async () => {
  const directories = Array.from({ length: 60 }, (_, step) => `/d${step}`);
  const base = Image.fromRegistry(await baseOf(100));
  const image = directories.reduce((grown, directory) => grown.workdir(directory), base).runCommands("cat /layer-2 > /seen");
  const result = await buildImage(client, image);
  expect(await lookInside(client, result, "sh", "-c", "cat /seen /layer-100; pwd")).toBe("2100/d59");
});
