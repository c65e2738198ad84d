import { createRegistry } from "@lamina/registry";
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";
import { fakeBuilder } from "./support/builder.ts";
import { pushImage } from "./support/image.ts";
import { client, testControlPlane, type TestControlPlane } from "./support/platform.ts";
import { attemptOf, chain, follow, hits, plan, startBuild } from "./support/requests.ts";

async function buildAndTag(platform: TestControlPlane, ...commands: readonly string[]): Promise<string> {
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain(...commands));
  await builder.make(await attemptOf(platform, build));
  await expect.poll(() => platform.sql("SELECT id FROM outbox_message"), { timeout: 10_000 }).toEqual([]);
  return build;
}

/** A platform with a database of its own on the repositories and the base of another. */
function onTheRegistryOf({ config }: TestControlPlane): Promise<TestControlPlane> {
  const environment = { LAMINA_REPOSITORY: config.repositoryPrefix, LAMINA_BASE_REGISTRY: config.baseRegistry };
  return testControlPlane({ environment });
}

test("a second platform on one registry builds nothing that the first published", async () => {
  await using first = await testControlPlane();
  const built = await buildAndTag(first, "a", "b");
  await using second = await onTheRegistryOf(first);
  expect((await plan(second, chain("a", "b"))).image).toBe((await plan(first, chain("a", "b"))).image);

  const build = await startBuild(second, chain("a", "b"));
  expect((await follow(second, build)).map(({ event }) => event.type)).toEqual(["planned", "done"]);
  const [a, b] = await Promise.all([first.services.builds.get(client, { id: built }), second.services.builds.get(client, { id: build })]);
  expect(b.ref).toBe(a.ref);
  const bytes = (platform: TestControlPlane) => platform.sql("SELECT id, layer, parent, digest FROM record ORDER BY id");
  expect(await bytes(second)).toEqual(await bytes(first));
});

test("what Postgres lost is taken back from the tags", async () => {
  await using platform = await testControlPlane();
  await buildAndTag(platform, "a", "b");
  await platform.sql("DELETE FROM record");
  await using restarted = await testControlPlane({ beside: platform });
  expect(await hits(restarted, chain("a", "b", "c"))).toBe(3);
});

test("a manifest without a tag is no record", async () => {
  await using first = await testControlPlane();
  await using builder = await fakeBuilder(first);
  const held = await builder.claim(await attemptOf(first, await startBuild(first, chain("a"))));
  await first.sql("UPDATE attempt SET lease_until = now() - interval '1 second'");
  await expect(held?.publish(1)).rejects.toMatchObject({ code: "LEASE_LOST" });
  await using second = await onTheRegistryOf(first);
  expect(await hits(second, chain("a"))).toBe(1);
});

test("where the deepest tag names no record, the next deepest is taken", async () => {
  await using first = await testControlPlane();
  await buildAndTag(first, "a", "b");
  const { layers } = await plan(first, chain("a", "b", "c"));
  const images = createRegistry(first.config.registry).repository(`${first.config.repositoryPrefix}/default`);
  await pushImage(images, { blobs: ["c"], tag: `${layers[3]?.id}-${uuid()}` });
  await using second = await onTheRegistryOf(first);
  expect(await hits(second, chain("a", "b", "c"))).toBe(3);
});
