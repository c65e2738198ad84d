import { expect, test } from "vitest";
import { fakeBuilder } from "./support/builder.ts";
import { client, testControlPlane, worker } from "./support/platform.ts";
import { attemptOf, chain, follow, startBuild } from "./support/requests.ts";

test("an attempt goes on while one of two builds that want it is cancelled, and is cut off with the other", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const { services } = platform;
  const first = await startBuild(platform, chain("one", "two"));
  const second = await startBuild(platform, chain("one", "two"));
  const attempt = await attemptOf(platform, first);
  const held = await builder.claim(attempt);
  const proof = { id: attempt, token: held?.claimed.token ?? 0 };

  await services.builds.cancel(client, { id: first });
  expect((await follow(platform, first)).at(-1)?.event.type).toBe("cancelled");
  expect(await services.attempts.renew(worker, proof)).toMatchObject({ cancelled: false });

  await services.builds.cancel(client, { id: second });
  expect(await services.attempts.renew(worker, proof)).toMatchObject({ cancelled: true });
  await expect(held?.publish(1)).rejects.toMatchObject({ code: "LEASE_LOST" });
});

test("what a cancelled build had said can be read afterwards", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one"));
  const held = await builder.claim(await attemptOf(platform, build));
  const layer = held?.claimed.layers.at(-1)?.id ?? "";
  await held?.feed.write({ type: "log", at: 0, layer, line: "compiling" });
  await platform.services.builds.cancel(client, { id: build });
  const types = (await follow(platform, build, { range: "now" })).map(({ event }) => event.type);
  expect(types).toContain("log");
  expect(types.at(-1)).toBe("cancelled");
});

test("a build that wants only finished layers of an attempt does not keep it going", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const long = await startBuild(platform, chain("one", "two", "three"));
  const short = await startBuild(platform, chain("one"));
  const held = await builder.claim(await attemptOf(platform, long));
  await held?.publish(1);
  expect((await follow(platform, short)).at(-1)?.event.type).toBe("done");
  await platform.services.builds.cancel(client, { id: long });
  await expect(held?.publish(2)).rejects.toMatchObject({ code: "LEASE_LOST" });
});

test("a cancelled build that nobody had claimed leaves nothing to claim", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one"));
  const attempt = await attemptOf(platform, build);
  await platform.services.builds.cancel(client, { id: build });
  expect(await builder.claim(attempt)).toBeUndefined();
  await platform.services.builds.cancel(client, { id: build });
  expect(await platform.services.builds.get(client, { id: build })).toMatchObject({ state: "cancelled" });
});
