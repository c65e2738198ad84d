import { expect, test } from "vitest";
import { fakeBuilder } from "./support/builder.ts";
import { client, testControlPlane, type TestControlPlane } from "./support/platform.ts";
import { deleteFromRegistry } from "./support/registry.ts";
import { attemptOf, chain, hits, startBuild } from "./support/requests.ts";

async function build(platform: TestControlPlane, ...commands: readonly string[]): Promise<void> {
  await using builder = await fakeBuilder(platform);
  await builder.make(await attemptOf(platform, await startBuild(platform, chain(...commands))));
  await expect.poll(() => platform.sql("SELECT id FROM outbox_message"), { timeout: 10_000 }).toEqual([]);
}

/** As by whoever cleans up in the registry: the manifest of the newest record. */
async function deleteNewest(platform: TestControlPlane): Promise<void> {
  const { config } = platform;
  const [newest] = await platform.sql<{ digest: string }>("SELECT digest FROM record ORDER BY id DESC LIMIT 1");
  await deleteFromRegistry(config, `${config.repositoryPrefix}/default/manifests/${newest?.digest}`);
}

test("a plan and a build go on from the deepest record whose image the registry has", async () => {
  await using platform = await testControlPlane();
  await build(platform, "a", "b", "c");
  await deleteNewest(platform);
  expect(await hits(platform, chain("a", "b", "c"))).toBe(3);

  await using other = await testControlPlane({ beside: platform });
  await deleteNewest(platform);
  await using builder = await fakeBuilder(platform);
  const held = await builder.claim(await attemptOf(platform, await startBuild(other, chain("a", "b", "c"))));
  expect(held?.claimed.layers.map(({ index }) => index)).toEqual([2, 3]);
});

test("an image that was there a moment ago is not asked for again, and a registry that is away is believed to have it", async () => {
  await using platform = await testControlPlane();
  await build(platform, "a");
  expect(await hits(platform, chain("a"))).toBe(2);
  await deleteNewest(platform);
  expect(await hits(platform, chain("a"))).toBe(2);
  await using cutOff = await testControlPlane({ beside: { ...platform, config: { ...platform.config, registry: AWAY } } });
  expect(await hits(cutOff, chain("a"))).toBe(2);
});

const AWAY = { host: "127.0.0.1:1", insecure: true, credentials: undefined };

test("an image that a builder cannot start from is no record any more, and a base is looked up again", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  await build(platform, "a");
  const gone = { code: "PARENT_MISSING", message: "The image to start from is gone." } as const;
  const failed = await startBuild(platform, chain("a", "b"));
  const onRecord = await builder.claim(await attemptOf(platform, failed));
  await onRecord?.finish(gone);
  expect((await platform.services.builds.get(client, { id: failed })).error?.code).toBe("PARENT_MISSING");
  expect(await platform.sql("SELECT id FROM record")).toEqual([]);

  const onBase = await builder.claim(await attemptOf(platform, await startBuild(platform, chain("x"))));
  await onBase?.finish(gone);
  expect(await platform.sql("SELECT reference FROM base")).toEqual([]);
});
