/** Layers that need a GPU, through the whole platform; what stands in for GPUs is described to BuildKit as real ones are. */
import { randomUUID } from "node:crypto";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { gpuStandIn, type TestPlatform, testPlatform, tinyBase } from "@lamina/testkit";
import { buildImage, type Client, type ClientEvent, connect, dockerfileOf, Image, planImage } from "lamina";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lookInside } from "./support/look-inside.ts";

let platform: TestPlatform;
let client: Client;
let base: string;

beforeAll(async () => {
  await gpuStandIn();
  base = await tinyBase();
  platform = await testPlatform({
    uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "",
    builders: { builder: {}, "builder-t4": { LAMINA_POOL: "T4", LAMINA_GPUS: "0,1" } },
  });
  client = await connect({ url: platform.url, token: platform.clientToken });
});
afterAll(() => platform?.[Symbol.asyncDispose]());

/** Writes what a step sees of GPUs: the variable of the stand-in, and its devices. */
const seen = (file: string) => [`{ echo "gpu \${LAMINA_TEST_GPU:-none}"; for i in /dev/lamina-test-gpu-*; do echo "$i"; done; } > ${file}`];

test("a step with a GPU alone sees it and is made by a builder of its pool", async () => {
  const image = Image.fromRegistry(base)
    .env({ NEVER_CACHED: randomUUID() })
    .runCommands(...seen("/before"))
    .runCommands(...seen("/one"), { gpu: "T4" })
    .runCommands(...seen("/two"), { gpu: "t4:2" })
    .runCommands(...seen("/any"), { gpu: "any" })
    .runCommands(...seen("/after"));
  const events: ClientEvent[] = [];
  const result = await buildImage(client, image, { onEvent: (event) => events.push(event) });

  const [, ...ids] = result.layers.map(({ id }) => id);
  const attempts = events.flatMap((event) => (event.type === "attempt" ? [{ pool: event.pool, layers: event.layers }] : []));
  expect(attempts).toEqual([
    { pool: "cpu", layers: ids.slice(0, 2) },
    { pool: "T4", layers: ids.slice(2, 5) },
    { pool: "cpu", layers: ids.slice(5) },
  ]);
  const builders = events.flatMap((event) => (event.type === "attempt-started" ? [event.builder] : []));
  expect(builders).toEqual(["builder", "builder-t4", "builder"]);

  const nothing = "gpu none\n/dev/lamina-test-gpu-*\n";
  const first = "gpu 1\n/dev/lamina-test-gpu-0\n";
  const contents = await lookInside(client, result, "cat", "/before", "/one", "/two", "/any", "/after");
  expect(`${contents}\n`).toBe([nothing, first, `${first}/dev/lamina-test-gpu-1\n`, first, nothing].join(""));
  expect(await lookInside(client, result, "sh", "-c", 'echo "${LAMINA_TEST_GPU:-none}"; echo /dev/lamina-test-gpu*')).toBe(
    "none\n/dev/lamina-test-gpu*",
  );

  const again = await buildImage(client, image);
  expect(again.ref).toBe(result.ref);
  expect(again.layers.every(({ status }) => status === "hit")).toBe(true);
});

test.each([
  { gpu: "A100", what: "a class that nobody has" },
  { gpu: "T4:3", what: "more than a builder has" },
])("$what is refused before anything starts, with the pools that there are", async ({ gpu }) => {
  const before = await client.builds.list(50);
  const image = Image.fromRegistry(base).runCommands(`echo ${randomUUID()}`).runCommands("true", { gpu });
  const { stack = "" } = new Error();
  const line = Number(/:(\d+):\d+\)?$/m.exec(stack)?.[1]) - 1;
  for (const ask of [planImage, buildImage]) {
    await expect(ask(client, image)).rejects.toMatchObject({
      code: "POOL_UNAVAILABLE",
      message: expect.stringMatching(new RegExp(`GPU "${gpu}".*cpu, T4 \\(2 GPUs a builder\\)`)),
      info: { source: { file: import.meta.filename, line } },
    });
  }
  expect(await dockerfileOf(client, image)).toContain("nvidia.com/gpu");
  expect(await client.builds.list(50)).toEqual(before);
});
