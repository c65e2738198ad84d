import { expect, test } from "vitest";
import { fakeBuilder } from "./support/builder.ts";
import { client, testControlPlane } from "./support/platform.ts";
import { attemptOf, chain, follow, hits, startBuild } from "./support/requests.ts";

test("a build is done when its last layer has a record, and the next one finds every layer", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const image = chain("one", "two", "three");
  expect(await hits(platform, image)).toBe(1);

  const build = await startBuild(platform, image);
  await builder.make(await attemptOf(platform, build));
  const events = (await follow(platform, build)).map(({ event }) => event);
  expect(events.map(({ type }) => type)).toEqual([
    "planned",
    "attempt",
    "attempt-started",
    ...["layer-started", "log", "layer-built", "layer-started", "log", "layer-built", "layer-started", "log", "layer-built"],
    "attempt-done",
    "done",
  ]);
  expect(await hits(platform, image)).toBe(4);

  const again = await startBuild(platform, image);
  expect((await follow(platform, again)).map(({ event }) => event.type)).toEqual(["planned", "done"]);
  const view = await platform.services.builds.get(client, { id: again });
  expect(view.state).toBe("done");
  expect(view.ref).toMatch(/@sha256:[0-9a-f]{64}$/);
});
