/** Bases in a registry that asks for credentials. */
import { createRegistry } from "@lamina/registry";
import { privateRegistry, type PrivateRegistry } from "@lamina/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fakeBuilder } from "./support/builder.ts";
import { type FakeImage, pushImage } from "./support/image.ts";
import { client, testControlPlane, type TestControlPlane } from "./support/platform.ts";
import { attemptOf, definition, plan, startBuild } from "./support/requests.ts";

const INLINE = { kind: "inline" as const, variables: ["REGISTRY_PASSWORD", "REGISTRY_USERNAME"] };
const NAMED = { kind: "named" as const, name: "registry" };
const source = { file: "image.ts", line: 1, column: 9 };

const variables = ({ username, password }: PrivateRegistry["credentials"]) => ({
  REGISTRY_USERNAME: username,
  REGISTRY_PASSWORD: password,
});

let platform: TestControlPlane;
beforeAll(async () => void (platform = await testControlPlane()));
afterAll(() => platform?.[Symbol.asyncDispose]());

describe.each(["basic", "bearer"] as const)("a registry with %s credentials", (auth) => {
  let registry: PrivateRegistry;
  beforeAll(async () => void (registry = await privateRegistry(auth)));
  afterAll(() => registry?.[Symbol.asyncDispose]());

  const team = () => createRegistry({ host: registry.host, insecure: true, credentials: registry.credentials }).repository("team/app");
  const push = (content: string): Promise<FakeImage> => pushImage(team(), { blobs: [content], tag: "v1" });
  const on = (secret?: typeof INLINE | typeof NAMED, reference = `${registry.host}/team/app:v1`) => ({
    ...definition([{ kind: "runCommands", commands: ["x"] }]),
    base: { kind: "fromRegistry" as const, reference, ...(secret !== undefined && { secret }) },
  });

  test("tells of a base only who shows what it asks for, and then one image in the whole workspace", async () => {
    const { host, credentials, others } = registry;
    const first = await push("first");
    const refused = { code: "BASE_UNAUTHORIZED", message: expect.stringContaining("REGISTRY_USERNAME and REGISTRY_PASSWORD") };
    await expect(plan(platform, on())).rejects.toMatchObject(refused);
    const wrong = { ...variables(credentials), REGISTRY_PASSWORD: "not-the-password" };
    const unknown = plan(platform, on(INLINE), { secrets: wrong });
    await expect(unknown).rejects.toMatchObject({ code: "BASE_UNAUTHORIZED", message: expect.not.stringContaining("not-the-password") });

    const seen = await plan(platform, on(INLINE), { secrets: variables(credentials) });
    expect(seen.definition.base.digest).toBe(first.digest);
    const second = await push("second");
    expect((await plan(platform, on(INLINE), { secrets: variables(credentials) })).image).toBe(seen.image);
    expect((await plan(platform, on(INLINE), { secrets: variables(others) })).image).toBe(seen.image);

    await expect(plan(platform, on())).rejects.toMatchObject(refused);
    await expect(plan(platform, on(undefined, `${host}/team/app@${first.digest}`))).rejects.toMatchObject(refused);
    await expect(plan(platform, on(INLINE), { secrets: wrong })).rejects.toMatchObject({ code: "BASE_UNAUTHORIZED" });

    const pulled = await plan(platform, on(INLINE), { secrets: variables(others), pull: true });
    expect(pulled.definition.base.digest).toBe(second.digest);
    expect((await plan(platform, on(INLINE), { secrets: variables(credentials) })).image).toBe(pulled.image);
  });

  test("gets its credentials from a secret of the workspace too, which says what it lacks", async () => {
    const { digest } = await push("named");
    const { secrets, builds } = platform.services;
    const before = await builds.list(client, { limit: 10 });
    const start = () => startBuild(platform, on(NAMED), { sources: [source], pull: true });
    await expect(start()).rejects.toMatchObject({ info: { code: "SECRET_MISSING", source } });
    await secrets.set(client, { name: NAMED.name, variables: { REGISTRY_USERNAME: "somebody" } });
    const lacking = { code: "SECRET_MISSING", message: expect.stringMatching(/"registry".* has no REGISTRY_PASSWORD/), source };
    await expect(start()).rejects.toMatchObject({ info: lacking });
    await secrets.set(client, { name: NAMED.name, variables: { REGISTRY_USERNAME: "somebody", REGISTRY_PASSWORD: "wrong" } });
    await expect(start()).rejects.toMatchObject({ info: { code: "BASE_UNAUTHORIZED", source } });
    await secrets.set(client, { name: NAMED.name, variables: variables(registry.credentials) });
    expect((await plan(platform, on(NAMED), { pull: true })).definition.base.digest).toBe(digest);
    expect(await builds.list(client, { limit: 10 })).toEqual(before);
    await secrets.remove(client, { name: NAMED.name });
  });

  test("its credentials are given to the holder of the lease, and to nobody who starts from a layer above", async () => {
    await push(`leased by ${auth}`);
    await using builder = await fakeBuilder(platform);
    const secrets = variables(registry.credentials);
    const image = on(INLINE);
    const build = await startBuild(platform, image, { secrets, pull: true });
    const held = await builder.claim(await attemptOf(platform, build));
    expect(held?.claimed).toMatchObject({ from: { host: registry.host, credentials: registry.credentials }, secrets: {} });
    await held?.publish(1);
    await held?.finish();
    expect(await platform.sql("SELECT sealed FROM build_secrets WHERE build_id = $1", [build])).toEqual([]);

    image.steps.push({ kind: "runCommands", commands: ["y"] });
    const next = await builder.claim(await attemptOf(platform, await startBuild(platform, image, { secrets })));
    expect(next?.claimed.from).toMatchObject({ digest: expect.any(String) });
    expect(next?.claimed.from.credentials).toBeUndefined();
  });
});

describe("once a base was shown", () => {
  let registry: PrivateRegistry;
  beforeAll(async () => void (registry = await privateRegistry("basic")));
  afterAll(() => registry?.[Symbol.asyncDispose]());

  test("an attempt that another build goes on with pulls the base from where that one may read it", async () => {
    await using builder = await fakeBuilder(platform);
    const { credentials, others } = registry;
    const start = async (name: string, shown: PrivateRegistry["credentials"]) => {
      const repository = createRegistry({ host: registry.host, insecure: true, credentials }).repository(name);
      await pushImage(repository, { blobs: ["the same"], tag: "v1" });
      const base = { kind: "fromRegistry" as const, reference: `${registry.host}/${name}:v1`, secret: INLINE };
      const image = { ...definition([{ kind: "runCommands", commands: ["x"] }]), base };
      return startBuild(platform, image, { secrets: variables(shown) });
    };
    const first = await start("first", credentials);
    const second = await start("second", others);
    const attempt = await attemptOf(platform, first);
    expect(await attemptOf(platform, second)).toBe(attempt);
    await platform.services.builds.cancel(client, { id: first });
    expect((await builder.claim(attempt))?.claimed.from).toMatchObject({ repository: "second", credentials: others });
  });

  test("a base that is refused when it is pulled is asked for again by the next build", async () => {
    await using builder = await fakeBuilder(platform);
    const credentials = registry.credentials;
    const repository = createRegistry({ host: registry.host, insecure: true, credentials }).repository("app");
    await pushImage(repository, { blobs: ["before"], tag: "v1" });
    const base = { kind: "fromRegistry" as const, reference: `${registry.host}/app:v1`, secret: INLINE };
    const image = { ...definition([{ kind: "runCommands", commands: ["x"] }]), base };
    const build = await startBuild(platform, image, { secrets: variables(credentials), sources: [source] });
    const held = await builder.claim(await attemptOf(platform, build));
    await held?.finish({ code: "BASE_UNAUTHORIZED", message: "refused" });
    expect((await platform.services.builds.get(client, { id: build })).error).toMatchObject({ code: "BASE_UNAUTHORIZED", source });
    const after = await pushImage(repository, { blobs: ["after"], tag: "v1" });
    expect((await plan(platform, image, { secrets: variables(credentials) })).definition.base.digest).toBe(after.digest);
  });

  test("nobody copies from it by its digest without credentials, and what is not there is said before the build", async () => {
    const credentials = registry.credentials;
    const repository = createRegistry({ host: registry.host, insecure: true, credentials }).repository("app");
    const { digest } = await pushImage(repository, { blobs: ["copied"] });
    const own = platform.config.registry.host;
    const copying = (instruction: string) => startBuild(platform, definition([{ kind: "dockerfileCommands", commands: [instruction] }]));
    const at = { line: 2, column: 3, file: "image.ts" };
    for (const instruction of [
      `COPY --from=${registry.host}/app@${digest} /a /a`,
      `RUN --mount=type=bind,from=${registry.host}/app@${digest},target=/mnt cp /mnt/a /a`,
    ]) {
      const refused = { code: "BASE_UNAUTHORIZED", message: expect.stringMatching(/^Step 1, dockerfileCommands: /), source: at };
      await expect(copying(instruction)).rejects.toMatchObject({ info: refused });
    }
    const missing = `sha256:${"0".repeat(64)}`;
    await expect(copying(`COPY --from=${own}/none@${missing} /a /a`)).rejects.toMatchObject({
      info: { code: "BASE_NOT_FOUND", source: at },
    });
    const { repositoryPrefix } = platform.config;
    await copying(`COPY --from=${own}/${repositoryPrefix}/library/python@${platform.base.digest} /a /a`);
  });

  test("a base without a step is not run, since a run has no credentials", async () => {
    const credentials = registry.credentials;
    await pushImage(createRegistry({ host: registry.host, insecure: true, credentials }).repository("app"), { blobs: ["x"], tag: "v1" });
    const base = { kind: "fromRegistry" as const, reference: `${registry.host}/app:v1`, secret: INLINE };
    const build = await startBuild(platform, { ...definition([]), base }, { secrets: variables(credentials) });
    const { image } = await platform.services.builds.get(client, { id: build });
    const running = platform.services.runs.start(client, { image, command: ["true"] });
    await expect(running).rejects.toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining("Add a step") });
  });
});
