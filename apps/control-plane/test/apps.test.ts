import { findSecrets } from "@lamina/testkit";
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";
import { client, testControlPlane, worker } from "./support/platform.ts";
import { deploy, done, endsOf, fakeRunner, functionOf, materials, startCalls } from "./support/functions.ts";

const ID_OF_NOTHING = "0".repeat(64);

test("the same functions are the same version, and one that changed leaves the others as they are", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const given = await materials(platform);
  const [f, g] = [functionOf(given, "f"), functionOf(given, "g", { methods: ["a", "b"] })];
  const first = await deploy(platform, [f, g]);
  expect(first).toMatchObject({
    name: "shop",
    version: 1,
    functions: [{ name: "f" }, { name: "g", methods: ["a", "b"], language: "python" }],
  });
  expect(await deploy(platform, [g, f])).toEqual(first);

  const second = await deploy(platform, [f, { ...g, timeoutSeconds: 5 }]);
  expect(second).toMatchObject({ app: first.app, version: 2 });
  expect(second.functions[0]).toEqual(first.functions[0]);
  expect(second.functions[1]?.id).not.toBe(first.functions[1]?.id);
  expect((await deploy(platform, [f, g])).version).toBe(3);
  expect(await services.apps.get(client, { app: "shop" })).toMatchObject({ version: 3, state: "active", ephemeral: false, pending: 0 });
});

test("many deployments at once make one version of the same functions", async () => {
  await using platform = await testControlPlane();
  const given = await materials(platform);
  const deployments = await Promise.all(Array.from({ length: 8 }, () => deploy(platform, [functionOf(given, "f")])));
  expect(new Set(deployments.map(({ version }) => version))).toEqual(new Set([1]));
  expect(new Set(deployments.map(({ functions }) => functions[0]?.id)).size).toBe(1);
});

test("a deployment that fails leaves the functions that were there, and says why", async () => {
  await using platform = await testControlPlane();
  const given = await materials(platform);
  const f = functionOf(given, "f");
  const before = await deploy(platform, [f]);
  const failing = (changes: Partial<typeof f>, code: string, message: string) =>
    expect(deploy(platform, [{ ...f, cpu: 2 }, functionOf(given, "g", changes)])).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  await failing({ image: ID_OF_NOTHING }, "NOT_FOUND", ID_OF_NOTHING);
  await failing({ code: `sha256:${ID_OF_NOTHING}` }, "CONTEXT_MISSING", "function g");
  await failing({ gpu: ["T4"] }, "POOL_UNAVAILABLE", "The pools that there are: cpu.");
  await failing({ secrets: [{ kind: "inline", variables: ["KEY"] }] }, "SECRET_MISSING", "KEY");
  await failing({ secrets: [{ kind: "named", name: "nobody" }] }, "SECRET_MISSING", "nobody");
  await failing({ name: "f" }, "INVALID_INPUT", "two functions");
  expect(await deploy(platform, [f])).toEqual(before);
  const [call] = await startCalls(platform);
  await using runner = await fakeRunner(platform, before.functions[0]?.id ?? "");
  expect((await runner.take()).id).toBe(call);
});

test("a function goes to the first pool of runners that fits, and stays there while it does", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const given = await materials(platform);
  const heartbeat = (kind: "builder" | "runner", pool: string, gpus: number) =>
    services.platform.heartbeat(worker, { name: pool, kind, pool, gpus, platform: platform.config.platform, version: "1" });
  const poolOf = async (functionId: string) =>
    (await platform.sql<{ pool: string; gpus: number }>("SELECT pool, gpus FROM function_version WHERE id = $1", [functionId]))[0];
  await heartbeat("builder", "T4", 8);
  await heartbeat("runner", "A100", 2);
  const f = functionOf(given, "f", { gpu: ["T4", "A100:4", "A100:2", "any"] });
  const first = await deploy(platform, [f]);
  expect(await poolOf(first.functions[0]?.id ?? "")).toEqual({ pool: "A100", gpus: 2 });
  await heartbeat("runner", "L4", 1);
  expect(await deploy(platform, [f])).toEqual(first);
  expect(await services.functions.list(worker, { pool: "A100" })).toMatchObject([{ name: "f", gpus: 2, app: first.app }]);
  await platform.sql("UPDATE worker SET heard_at = now() - interval '1 hour' WHERE pool = 'A100'");
  expect(await poolOf((await deploy(platform, [f])).functions[0]?.id ?? "")).toEqual({ pool: "L4", gpus: 1 });
  const unfitting = deploy(platform, [functionOf(given, "f", { gpu: ["H100"] })]);
  await expect(unfitting).rejects.toMatchObject({ code: "POOL_UNAVAILABLE", message: expect.stringContaining("cpu, L4 (1 GPU a runner)") });
});

test("a runner is told all that it serves a function by", async () => {
  await using platform = await testControlPlane();
  const { services, config, base } = platform;
  const given = await materials(platform);
  const app = await deploy(platform, [
    functionOf(given, "f", { concurrency: 4, retries: { max: 1, delayMs: 5, factor: 1, longestDelayMs: 5 } }),
  ]);
  const [served] = await services.functions.list(worker, { pool: "cpu" });
  expect(served).toMatchObject({
    id: app.functions[0]?.id,
    workspace: "default",
    app: app.app,
    appName: "shop",
    name: "f",
    code: given.code,
    concurrency: 4,
    retries: { max: 1 },
    state: "active",
    gpus: 0,
    image: { digest: base.digest },
    codeLocation: { repository: `${config.repositoryPrefix}/default/contexts`, digest: expect.stringMatching(/^sha256:/) },
  });
  expect(served).not.toHaveProperty("secrets");
  expect(await services.functions.list(worker, { pool: "T4" })).toEqual([]);
  expect(await services.functions.list({ workspace: "stranger", role: "worker" }, { pool: "cpu" })).toEqual([]);
});

test("secrets reach containers, stand nowhere in the database, and go with their function", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const given = await materials(platform);
  await services.secrets.set(client, { name: "bank", variables: { TOKEN: "named-value-83kd02", KEY: "overridden-38dk20" } });
  const f = functionOf(given, "f", {
    secrets: [
      { kind: "named", name: "bank" },
      { kind: "inline", variables: ["KEY"] },
    ],
  });
  const first = await deploy(platform, [f], { secrets: { KEY: "inline-value-92md7", UNUSED: "unused-value-03md2" } });
  const id = first.functions[0]?.id ?? "";
  expect(await services.functions.secrets(worker, { id })).toEqual({ TOKEN: "named-value-83kd02", KEY: "inline-value-92md7" });
  const values = ["named-value-83kd02", "inline-value-92md7", "overridden-38dk20", "unused-value-03md2"];
  expect(
    await findSecrets(Object.fromEntries(values.map((value) => [value, value])), { databases: [platform.config.databaseUrl] }),
  ).toEqual([]);

  expect(await deploy(platform, [f], { secrets: { KEY: "inline-value-92md7" } })).toEqual(first);
  expect((await deploy(platform, [f], { secrets: { KEY: "another-value-29dk3" } })).version).toBe(2);
  await expect.poll(() => platform.sql("SELECT id FROM function_version WHERE state = 'stopped' AND sealed IS NULL")).toEqual([{ id }]);
  await expect(services.functions.secrets(worker, { id })).rejects.toMatchObject({ code: "NOT_FOUND" });

  const [now] = await services.functions.list(worker, { pool: "cpu" });
  await services.secrets.remove(client, { name: "bank" });
  const gone = services.functions.secrets(worker, { id: now?.id ?? "" });
  await expect(gone).rejects.toMatchObject({ code: "SECRET_MISSING", message: expect.stringContaining("bank") });
});

test("a function that was replaced finishes the calls that it has, and then stops", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const given = await materials(platform);
  const first = await deploy(platform, [functionOf(given, "f")]);
  const old = first.functions[0]?.id ?? "";
  const before = await startCalls(platform);
  const second = await deploy(platform, [functionOf(given, "f", { cpu: 2 })]);
  const after = await startCalls(platform);
  expect((await services.functions.list(worker, { pool: "cpu" })).map(({ id, state }) => ({ id, state }))).toEqual([
    { id: old, state: "draining" },
    { id: second.functions[0]?.id, state: "active" },
  ]);
  await using runner = await fakeRunner(platform, old);
  const taken = await runner.take();
  expect(taken.id).toBe(before[0]);
  await taken.finish(done(1));
  await expect.poll(() => platform.sql("SELECT id FROM function_version WHERE state = 'stopped'")).toEqual([{ id: old }]);
  expect(await services.functions.list(worker, { pool: "cpu" })).toMatchObject([{ id: second.functions[0]?.id }]);
  expect(await services.calls.get(client, { id: before[0] ?? "" })).toMatchObject({ version: 1, state: "done" });
  expect(await services.calls.get(client, { id: after[0] ?? "" })).toMatchObject({ version: 2, state: "queued" });
});

test("an app that is stopped ends its calls, takes no others, and comes back when it is deployed", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const given = await materials(platform);
  const first = await deploy(platform, [functionOf(given, "f")]);
  const calls = await startCalls(platform, 3);
  expect(await services.apps.get(client, { app: first.app })).toMatchObject({ pending: 3 });
  await services.apps.stop(client, { app: "shop" });
  expect([...(await endsOf(platform, calls)).values()]).toEqual(calls.map(() => ({ state: "cancelled" })));
  expect(await services.apps.list(client)).toMatchObject([{ state: "stopped", pending: 0, version: 1 }]);
  expect(await services.functions.list(worker, { pool: "cpu" })).toEqual([]);
  await expect(startCalls(platform)).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("stopped") });
  const again = await deploy(platform, [functionOf(given, "f")]);
  expect(again).toMatchObject({ app: first.app, version: 2 });
  expect(await startCalls(platform)).toHaveLength(1);
});

test("an ephemeral app is found by its id alone, and ends when nobody keeps it", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const given = await materials(platform);
  const ephemeral = uuid();
  const app = await deploy(platform, [functionOf(given, "f")], { ephemeral });
  expect(app).toMatchObject({ app: ephemeral, name: "shop" });
  expect(await deploy(platform, [functionOf(given, "f")], { ephemeral })).toEqual(app);
  expect(await services.apps.list(client)).toEqual([]);
  await expect(startCalls(platform)).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: expect.stringMatching(/no app shop; nothing is deployed/),
  });
  const calls = await startCalls(platform, 1, { app: ephemeral });
  const forget = () => platform.sql("UPDATE app SET heard_at = now() - interval '59 seconds'");
  await forget();
  await services.apps.keep(client, { app: ephemeral });
  expect(await services.apps.get(client, { app: ephemeral })).toMatchObject({ state: "active", ephemeral: true });
  await platform.sql("UPDATE app SET heard_at = now() - interval '61 seconds'");
  expect((await endsOf(platform, calls)).get(calls[0] ?? "")).toEqual({ state: "cancelled" });
  await expect(services.apps.keep(client, { app: ephemeral })).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("another workspace sees nothing of an app", async () => {
  await using platform = await testControlPlane();
  const { services } = platform;
  const app = await deploy(platform, [functionOf(await materials(platform), "f")]);
  const [call = ""] = await startCalls(platform);
  const stranger = { workspace: "stranger", role: "client" } as const;
  expect(await services.apps.list(stranger)).toEqual([]);
  const notFound = { code: "NOT_FOUND" };
  await expect(services.apps.get(stranger, { app: app.app })).rejects.toMatchObject(notFound);
  await expect(services.apps.stop(stranger, { app: "shop" })).rejects.toMatchObject(notFound);
  await expect(services.calls.get(stranger, { id: call })).rejects.toMatchObject(notFound);
  await expect(services.calls.cancel(stranger, { ids: [call] })).rejects.toMatchObject(notFound);
  await expect(services.calls.wait(stranger, { ids: [call], waitMs: 0, gatherMs: 0 }, new AbortController().signal)).rejects.toMatchObject(
    notFound,
  );
  const id = app.functions[0]?.id ?? "";
  await expect(services.functions.secrets({ workspace: "stranger", role: "worker" }, { id })).rejects.toMatchObject(notFound);
});
