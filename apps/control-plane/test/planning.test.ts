import type { StepOperation } from "@lamina/ir";
import { createRegistry } from "@lamina/registry";
import { expect, test } from "vitest";
import { fakeBuilder } from "./support/builder.ts";
import { pushImage } from "./support/image.ts";
import { client, testControlPlane, type TestControlPlane } from "./support/platform.ts";
import { attemptOf, chain, definition, follow, hits, plan, startBuild } from "./support/requests.ts";

type Builder = Awaited<ReturnType<typeof fakeBuilder>>;

async function build(platform: TestControlPlane, builder: Builder, ...commands: readonly string[]): Promise<void> {
  const id = await startBuild(platform, chain(...commands));
  await builder.make(await attemptOf(platform, id));
}

test("the hit is the deepest layer of the chain that has a record", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  await build(platform, builder, "a", "b", "c");
  const table: readonly (readonly [readonly string[], number])[] = [
    [[], 1],
    [["a"], 2],
    [["a", "b", "c"], 4],
    [["a", "b", "c", "d"], 4],
    [["a", "b", "other"], 3],
    [["a", "other", "c"], 2],
    [["b", "a", "c"], 1],
  ];
  for (const [commands, expected] of table)
    expect({ commands, hits: await hits(platform, chain(...commands)) }).toEqual({ commands, hits: expected });
});

test("a layer without records of its ancestors is a hit all the same", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const held = await builder.claim(await attemptOf(platform, await startBuild(platform, chain("a", "b", "c"))));
  await held?.publish(3);
  expect(await hits(platform, chain("a", "b", "c"))).toBe(4);
  expect(await hits(platform, chain("a", "b"))).toBe(1);
});

test("a build starts from the newest record of its deepest layer, and never mixes two makings", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  await build(platform, builder, "a", "b");
  const forced = await startBuild(platform, chain("a", "b"), { forcedFrom: 1 });
  const held = await builder.claim(await attemptOf(platform, forced));
  await held?.publish(1);
  await held?.finish({ code: "STEP_FAILED", message: "no", layer: held.claimed.layers[1]?.id });

  const next = await builder.claim(await attemptOf(platform, await startBuild(platform, chain("a", "b", "c"))));
  const [old] = await platform.sql<{ id: string; digest: string }>(
    "SELECT r.id, r.digest FROM record r WHERE layer = $1 ORDER BY id DESC LIMIT 1",
    [(await plan(platform, chain("a", "b"))).image],
  );
  expect(next?.claimed.from.digest).toBe(old?.digest);
  expect(next?.claimed.layers[0]?.parentRecord).toBe(old?.id);
});

test("what is forced is made anew, and what was built before stays", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const image = chain("a", "b", "c");
  await build(platform, builder, "a", "b", "c");
  const before = await platform.services.images.list(client);
  expect(await hits(platform, image, { forcedFrom: 2 })).toBe(2);

  const forced = await startBuild(platform, image, { forcedFrom: 2 });
  const attempt = await attemptOf(platform, forced);
  const held = await builder.claim(attempt);
  expect(held?.claimed.forcedFrom).toBe(2);
  expect(held?.claimed.layers.map(({ index }) => index)).toEqual([2, 3]);
  await held?.publish(3);
  await held?.publish(2);
  await held?.finish();
  expect((await follow(platform, forced)).at(-1)?.event.type).toBe("done");

  const after = await platform.services.images.list(client);
  expect(after[0]?.digest).not.toBe(before[0]?.digest);
  const again = await platform.services.builds.get(client, { id: await startBuild(platform, image) });
  expect(again.ref).toBe(after[0]?.ref);
});

test("a forced build joins only attempts that began after it was asked for and force as much", async () => {
  await using platform = await testControlPlane();
  const image = chain("a", "b");
  const plain = await startBuild(platform, image);
  const forced = await startBuild(platform, image, { forcedFrom: 1 });
  expect(await attemptOf(platform, forced)).not.toBe(await attemptOf(platform, plain));
  const later = await startBuild(platform, image, { forcedFrom: 1 });
  expect(await attemptOf(platform, later)).not.toBe(await attemptOf(platform, forced));
  const unforced = await startBuild(platform, image);
  expect([await attemptOf(platform, plain), await attemptOf(platform, forced), await attemptOf(platform, later)]).toContain(
    await attemptOf(platform, unforced),
  );
});

test("a base's tag keeps its digest until somebody pulls", async () => {
  await using platform = await testControlPlane();
  const first = await plan(platform, chain("a"));
  const library = createRegistry(platform.config.registry).repository(`${platform.config.repositoryPrefix}/library/python`);
  const moved = await pushImage(library, { blobs: ["another base"], tag: "3.13-slim" });
  expect((await plan(platform, chain("a"))).image).toBe(first.image);
  const pulled = await plan(platform, chain("a"), { pull: true });
  expect(pulled.definition.base.digest).toBe(moved.digest);
  expect((await plan(platform, chain("a"))).image).toBe(pulled.image);
});

test("nobody gets another workspace's records", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  await build(platform, builder, "a");
  const stranger = { workspace: "stranger", role: "client" as const };
  const { layers } = await platform.services.images.plan(stranger, { definition: chain("a"), pull: false, secrets: {} });
  expect(layers.map(({ status }) => status)).toEqual(["hit", "missing"]);
});

test("a named secret is its sorted variable names", async () => {
  await using platform = await testControlPlane();
  const { secrets } = platform.services;
  await secrets.set(client, { name: "git", variables: { TOKEN: "t-value", NAME: "n-value" } });
  const named = definition([{ kind: "runCommands", commands: ["x"], secrets: [{ kind: "named", name: "git" }] }]);
  const inline = definition([{ kind: "runCommands", commands: ["x"], secrets: [{ kind: "inline", variables: ["NAME", "TOKEN"] }] }]);
  expect((await plan(platform, named)).image).toBe((await plan(platform, inline)).image);
  const unknown = definition([{ kind: "runCommands", commands: ["x"], secrets: [{ kind: "named", name: "other" }] }]);
  await expect(plan(platform, unknown)).rejects.toMatchObject({ code: "SECRET_MISSING", reason: "unknown-secret" });
});

test("what cannot be right is said before anything starts", async () => {
  await using platform = await testControlPlane();
  const unknownVersion = { ...chain("a"), builderVersion: "1999.1" };
  await expect(plan(platform, unknownVersion)).rejects.toMatchObject({
    code: "UNKNOWN_BUILDER_VERSION",
    reason: "unknown-builder-version",
    message: expect.stringContaining("2026.11"),
  });
  await expect(plan(platform, chain("a"), { forcedFrom: 2 })).rejects.toMatchObject({ code: "INVALID_INPUT", reason: "invalid-request" });
  const inline = definition([{ kind: "runCommands", commands: ["x"], secrets: [{ kind: "inline", variables: ["TOKEN"] }] }]);
  await expect(startBuild(platform, inline)).rejects.toMatchObject({
    code: "SECRET_MISSING",
    reason: "unset-variable",
    message: expect.stringContaining("TOKEN"),
  });
  const tree = `sha256:${"1".repeat(64)}`;
  const copying = definition([{ kind: "copyLocalDir", tree, destination: "/x" }]);
  expect((await plan(platform, copying)).missingTrees).toEqual([tree]);
  await expect(startBuild(platform, copying)).rejects.toMatchObject({ code: "CONTEXT_MISSING" });
  const empty = await platform.services.contexts.commitTree(client, { entries: [] });
  const instructions = definition([
    { kind: "runCommands", commands: ["true"] },
    { kind: "dockerfileCommands", commands: ["ENV A=1\nCOPY b /x"], tree: empty.tree },
  ]);
  await expect(startBuild(platform, instructions)).rejects.toMatchObject({
    code: "INVALID_INPUT",
    reason: "missing-source",
    message: expect.stringMatching(/^Step 2, dockerfileCommands: command 1, line 2: COPY takes "b", and there is no "b" in the context/),
    info: { source: { file: "image.ts", line: 3 } },
  });
  expect(await platform.services.builds.list(client, { limit: 10 })).toEqual([]);
});

test("a definition that cannot be built is refused by plan and start, with its step and where it was called", async () => {
  await using platform = await testControlPlane();
  const wrong = definition([
    { kind: "runCommands", commands: ["a"] },
    { kind: "workdir", path: "~/here" },
  ]);
  const refusal = { code: "INVALID_INPUT", reason: "invalid-working-directory", message: expect.stringMatching(/^Step 2, workdir: /) };
  await expect(plan(platform, wrong)).rejects.toMatchObject({ info: refusal });
  const source = { file: "image.ts", line: 3, column: 3 };
  await expect(startBuild(platform, wrong)).rejects.toMatchObject({ info: { ...refusal, source } });
});

test("an error that concerns a step says where it was called", async () => {
  await using platform = await testControlPlane();
  const last = { file: "image.ts", line: 3, column: 3 };
  const steps: readonly [string, StepOperation][] = [
    ["POOL_UNAVAILABLE", { kind: "runCommands", commands: ["x"], gpu: "T4" }],
    ["SECRET_MISSING", { kind: "runCommands", commands: ["x"], secrets: [{ kind: "named", name: "none" }] }],
    ["SECRET_MISSING", { kind: "runCommands", commands: ["x"], secrets: [{ kind: "inline", variables: ["TOKEN"] }] }],
  ];
  for (const [code, step] of steps) {
    const asked = definition([{ kind: "workdir", path: "/" }, step]);
    await expect(startBuild(platform, asked)).rejects.toMatchObject({ info: { code, source: last } });
  }
  const base = { ...chain("a"), base: { kind: "debianSlim" as const, pythonVersion: "3.99" } };
  const source = { file: "image.ts", line: 1, column: 1 };
  const refusal = { info: { code: "BASE_NOT_FOUND", source } };
  await expect(startBuild(platform, base, { sources: [source] })).rejects.toMatchObject(refusal);
  await expect(plan(platform, base, { sources: [source] })).rejects.toMatchObject(refusal);
});

test("what only the variables of a named secret show is refused too", async () => {
  await using platform = await testControlPlane();
  await platform.services.secrets.set(client, { name: "index", variables: { TOKEN: "x" } });
  const secrets = [{ kind: "named" as const, name: "index" }];
  const install = definition([{ kind: "pipInstall", arguments: ["--index-url", "https://${OTHER}@host/simple", "six"], secrets }]);
  await expect(plan(platform, install)).rejects.toMatchObject({
    code: "INVALID_INPUT",
    reason: "undeclared-secret",
    message: expect.stringContaining("OTHER"),
  });
});
