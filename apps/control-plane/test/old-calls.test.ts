/** What is deleted long after its end, and what stays. */
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";
import { deploy, done, functionOf, materials, startCalls } from "./support/functions.ts";
import { client, testControlPlane, type TestControlPlane, worker } from "./support/platform.ts";

async function finish({ services }: TestControlPlane, ids: readonly string[]): Promise<void> {
  await services.calls.finish(worker, { calls: ids.map((id) => ({ id, delivery: 1, end: done(1) })) });
}

async function callsThereAre(platform: TestControlPlane): Promise<string[]> {
  return (await platform.sql<{ id: string }>("SELECT id FROM call ORDER BY id")).map(({ id }) => id);
}

test("a call is deleted seven days after its end, in words that say so; one that ended later and one that goes on stay", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  await deploy(platform, [functionOf(await materials(platform), "f")]);
  const [old = "", young = "", open = ""] = await startCalls(platform, 3);
  await finish(platform, [old, young]);
  await platform.sql("UPDATE call SET created_at = now() - interval '30 days'");
  await platform.sql("UPDATE call SET ended_at = now() - interval '6 days 23 hours' WHERE id = $1", [young]);
  await platform.sql("UPDATE call SET ended_at = now() - interval '7 days 1 hour' WHERE id = $1", [old]);
  await expect.poll(() => callsThereAre(platform)).toEqual([young, open].toSorted());
  const gone = { code: "NOT_FOUND", message: expect.stringContaining("too old") };
  await expect(services.calls.get(client, { id: old })).rejects.toMatchObject(gone);
  await expect(services.calls.cancel(client, { ids: [old] })).rejects.toMatchObject(gone);
  await expect(services.calls.wait(client, { ids: [old], waitMs: 0, gatherMs: 0 }, new AbortController().signal)).rejects.toMatchObject(
    gone,
  );
  // A delivery that comes as late as that is done with, and brings nothing back.
  expect(await services.calls.finish(worker, { calls: [{ id: old, delivery: 2, end: done(2) }] })).toEqual([{ id: old }]);
  expect(await services.calls.get(client, { id: young })).toMatchObject({ state: "done" });
  expect(await callsThereAre(platform)).toEqual([young, open].toSorted());
});

test("any number of old calls goes, after as many days as the platform is told", async () => {
  await using platform = await testControlPlane({ environment: { LAMINA_CALLS_KEPT_DAYS: "2" } });
  const { functions } = await deploy(platform, [functionOf(await materials(platform), "f")]);
  await platform.sql(
    `INSERT INTO call (id, workspace, function_id, version, state, ended_at)
     SELECT 'old-' || number, 'default', $1, 1, 'done', now() - interval '49 hours' FROM generate_series(1, 12500) number`,
    [functions[0]?.id],
  );
  await platform.sql(
    "INSERT INTO call (id, workspace, function_id, version, state, ended_at) VALUES ('young', 'default', $1, 1, 'done', now() - interval '47 hours')",
    [functions[0]?.id],
  );
  await expect.poll(() => callsThereAre(platform)).toEqual(["young"]);
});

test("an ephemeral app that ended long ago goes with its functions once its calls are gone; one that is deployed by name stays", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const f = functionOf(await materials(platform), "f");
  await deploy(platform, [f]);
  const [withCall, without, young] = [uuid(), uuid(), uuid()];
  for (const ephemeral of [withCall, without, young]) await deploy(platform, [f], { app: "moment", ephemeral });
  const [call = ""] = await startCalls(platform, 1, { app: withCall });
  await finish(platform, [call]);
  for (const app of [withCall, without, young, "shop"]) await services.apps.stop(client, { app });
  await platform.sql("UPDATE app SET heard_at = now() - interval '8 days' WHERE id <> $1", [young]);
  const appsThereAre = async () =>
    (await platform.sql<{ found: string }>("SELECT found_by AS found FROM app")).map(({ found }) => found).toSorted();
  await expect.poll(appsThereAre).toEqual([withCall, young, "shop"].toSorted());
  expect(await services.calls.get(client, { id: call })).toMatchObject({ state: "done", function: "f" });
  await platform.sql("UPDATE call SET ended_at = now() - interval '8 days'");
  await expect.poll(appsThereAre).toEqual([young, "shop"].toSorted());
  expect(await platform.sql("SELECT FROM function_version")).toHaveLength(2);
  // What is gone can be deployed again.
  expect(await deploy(platform, [f], { app: "moment", ephemeral: without })).toMatchObject({ version: 1 });
});
