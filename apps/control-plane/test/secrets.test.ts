import type { StepOperation } from "@lamina/ir";
import { findSecrets } from "@lamina/testkit";
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { createSealer } from "../src/secrets/seal.ts";
import { fakeBuilder } from "./support/builder.ts";
import { client, testControlPlane, type TestControlPlane } from "./support/platform.ts";
import { attemptOf, definition, startBuild } from "./support/requests.ts";

/** The columns in which one of the values stands, however it is written. */
async function columnsWith({ config }: TestControlPlane, ...values: readonly string[]): Promise<string[]> {
  const secrets = Object.fromEntries(values.map((value) => [value, value]));
  return (await findSecrets(secrets, { databases: [config.databaseUrl] })).map(({ place }) => place);
}

const step = definition([
  {
    kind: "runCommands",
    commands: ["x"],
    secrets: [
      { kind: "named", name: "git" },
      { kind: "inline", variables: ["API_KEY"] },
    ],
  },
]);

test("values reach the holder of the lease once, and stand nowhere in the database", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  await platform.services.secrets.set(client, { name: "git", variables: { TOKEN: "named-value-83kd02" } });
  const build = await startBuild(platform, step, { secrets: { API_KEY: "inline-value-92md7" } });
  const attempt = await attemptOf(platform, build);

  const held = await builder.claim(attempt);
  expect(held?.claimed.secrets).toEqual({ TOKEN: "named-value-83kd02", API_KEY: "inline-value-92md7" });
  expect(await builder.claim(attempt)).toBeUndefined();
  expect(await platform.services.secrets.list(client)).toMatchObject([{ name: "git", variables: ["TOKEN"] }]);
  expect(await columnsWith(platform, "named-value-83kd02", "inline-value-92md7")).toEqual([]);

  await held?.publish(1);
  await held?.finish();
  expect(await platform.sql("SELECT build_id FROM build_secrets")).toEqual([]);
});

test("the search for values finds one that is planted, however it is written", async () => {
  await using platform = await testControlPlane();
  await startBuild(platform, definition([]), { name: "named-value-83kd02" });
  expect(await columnsWith(platform, "named-value-83kd02")).toEqual(["the column build.name"]);
  await platform.sql("INSERT INTO event_chunk VALUES ('f', 1, 1, $1)", [Buffer.from("inline-value-92md7")]);
  expect(await columnsWith(platform, "inline-value-92md7")).toEqual(["the column event_chunk.events"]);
  expect(await columnsWith(platform, "value-of-nobody")).toEqual([]);
});

test("a secret that is gone when the builder comes fails the build, and says which", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  await platform.services.secrets.set(client, { name: "git", variables: { TOKEN: "x" } });
  const build = await startBuild(platform, step, { secrets: { API_KEY: "y" } });
  await platform.services.secrets.remove(client, { name: "git" });
  expect(await builder.claim(await attemptOf(platform, build))).toBeUndefined();
  const { state, error } = await platform.services.builds.get(client, { id: build });
  expect(state).toBe("failed");
  expect(error).toMatchObject({ code: "SECRET_MISSING", message: expect.stringContaining("TOKEN") });
});

test("a secret that was sealed with another key fails the build, and says which", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  await platform.services.secrets.set(client, { name: "git", variables: { TOKEN: "x" } });
  const build = await startBuild(platform, step, { secrets: { API_KEY: "y" } });
  const sealed = createSealer(Buffer.alloc(32, 7)).seal("secret default/git", { TOKEN: "x" });
  await platform.sql("UPDATE secret SET sealed = $1", [Buffer.from(sealed)]);
  expect(await builder.claim(await attemptOf(platform, build))).toBeUndefined();
  const { state, error } = await platform.services.builds.get(client, { id: build });
  expect(state).toBe("failed");
  expect(error).toMatchObject({ code: "SECRET_MISSING", message: expect.stringContaining("default/git") });
});

test("steps for which one variable means different values are made by attempts apart", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  await platform.services.secrets.set(client, { name: "a", variables: { TOKEN: "value of a" } });
  await platform.services.secrets.set(client, { name: "b", variables: { TOKEN: "value of b" } });
  const using = (name: string) => ({ kind: "runCommands" as const, commands: ["x"], secrets: [{ kind: "named" as const, name }] });
  const build = await startBuild(platform, definition([using("a"), using("b")]));
  const first = await builder.claim(await attemptOf(platform, build));
  expect(first?.claimed.secrets).toEqual({ TOKEN: "value of a" });
  await first?.publish(1);
  const second = await builder.claim(await attemptOf(platform, build));
  expect(second?.claimed.secrets).toEqual({ TOKEN: "value of b" });
});

test("an attempt that several builds wait for has the values of the one that wants all of it, and makes no more than is wanted", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const [older, newer] = [newId(), newId()];
  const shared: StepOperation = { kind: "runCommands", commands: ["x"] };
  const long = definition([shared, { kind: "runCommands", commands: ["y"], secrets: [{ kind: "inline", variables: ["TOKEN"] }] }]);
  await startBuild(platform, long, { id: newer, secrets: { TOKEN: "value" } });
  const attempt = await attemptOf(platform, newer);
  await startBuild(platform, definition([shared]), { id: older });
  expect(await attemptOf(platform, older)).toBe(attempt);

  const held = await builder.claim(attempt);
  expect(held?.claimed).toMatchObject({ layers: [{ index: 1 }, { index: 2 }], secrets: { TOKEN: "value" } });
  await held?.publish(1);
  await held?.publish(2);
  await held?.finish();
  expect(await platform.services.builds.get(client, { id: newer })).toMatchObject({ state: "done" });

  const longer = definition([...long.steps, { kind: "runCommands", commands: ["z"], secrets: [{ kind: "inline", variables: ["OTHER"] }] }]);
  const [unwanted, other] = [newId(), newId()];
  const forced = { forcedFrom: 1 };
  await startBuild(platform, longer, { id: unwanted, secrets: { TOKEN: "value", OTHER: "value" }, ...forced });
  await startBuild(platform, definition([shared]), { id: other, ...forced });
  const joined = await attemptOf(platform, unwanted);
  await platform.services.builds.cancel(client, { id: unwanted });
  const rest = await builder.claim((await attemptOf(platform, other)) === joined ? joined : await attemptOf(platform, other));
  expect(rest?.claimed).toMatchObject({ layers: [{ index: 1 }], secrets: {} });
  await rest?.publish(1);
  await rest?.finish();
  expect(await platform.services.builds.get(client, { id: other })).toMatchObject({ state: "done" });
});

test("sealed values open only with their key and in their row", () => {
  const sealer = createSealer(Buffer.alloc(32, 1));
  const sealed = sealer.seal("row", { A: "one" });
  expect(sealer.open("row", sealed)).toEqual({ A: "one" });
  expect(() => sealer.open("other row", sealed)).toThrow(/sealed with another key/);
  expect(() => createSealer(Buffer.alloc(32, 2)).open("row", sealed)).toThrow(/sealed with another key/);
  const changed = sealed.map((byte, index) => (index === sealed.length - 1 ? byte ^ 1 : byte));
  expect(() => sealer.open("row", changed)).toThrow(/sealed with another key/);
});

test("a value that no environment can hold is refused without being shown", async () => {
  await using platform = await testControlPlane();
  const set = platform.services.secrets.set(client, { name: "s", variables: { TOKEN: "se\0cret" } });
  await expect(set).rejects.toMatchObject({ code: "INVALID_INPUT", message: expect.not.stringContaining("cret") });
});

test.each(["PATH", "BASH_ENV", "LD_PRELOAD", "LAMINA_SECRET_1"])("a secret that brings %s is refused", async (name) => {
  await using platform = await testControlPlane();
  const set = platform.services.secrets.set(client, { name: "s", variables: { [name]: "x" } });
  await expect(set).rejects.toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining(name) });
});
