/** Disks that are full, and a registry and a database that fail in the middle of something. */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import {
  faultyProxy,
  type FaultyProxy,
  killServer,
  ownServers,
  servers,
  smallDisk,
  type SmallDisk,
  testPlatform,
  tinyBase,
} from "@lamina/testkit";
import { type Client, connect, Image, imageState } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { begin, build, faultSite, type Site } from "./site.ts";
import { expectToldOnce } from "./told-once.ts";

const UV = builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "";
const MIB = 1024 * 1024;

/** An image with a layer that does not get smaller by compression. */
const largeImage = (base: string, megabytes: number): Image =>
  Image.fromRegistry(base).runCommands(`echo begun; echo ${randomUUID()}; head -c ${megabytes}M /dev/urandom >/large`);

describe("a full disk", () => {
  const cleanUp = new AsyncDisposableStack();
  let disks: Readonly<Record<"registry" | "buildkit" | "staging", SmallDisk>>;
  let client: Client;
  let base: string;
  let files: string;
  beforeAll(async () => {
    files = await mkdtemp(join(tmpdir(), "lamina-files-"));
    cleanUp.defer(() => rm(files, { recursive: true, force: true }));
    const [registry, buildkit, staging] = [
      cleanUp.use(await smallDisk(24)),
      cleanUp.use(await smallDisk(256)),
      cleanUp.use(await smallDisk(4)),
    ];
    disks = { registry, buildkit, staging };
    const prepare = async (directory: string): Promise<void> => {
      for (const name of ["registry", "buildkit"]) await mkdir(join(directory, name));
      await symlink(registry.path, join(directory, "registry/data"));
      await symlink(buildkit.path, join(directory, "buildkit/root"));
    };
    const own = cleanUp.use(await ownServers({ prepare }));
    base = await tinyBase(own.registry);
    const builders = { builder: { LAMINA_STATE: staging.path } };
    const platform = cleanUp.use(await testPlatform({ uv: UV, servers: own, builders, runner: false }));
    client = await connect({ url: platform.url, token: platform.clientToken });
  });
  afterAll(() => cleanUp.disposeAsync());

  /** A copy of a file of so many bytes, which nobody has. */
  const copyOfFile = async (megabytes: number): Promise<Image> => {
    const file = join(files, randomUUID());
    await writeFile(file, randomBytes(megabytes * MIB));
    return Image.fromRegistry(base).copyLocalFile(file, "/large");
  };

  test("of the builder fails a build in words, leaves nothing on it, and is no matter once there is room", async () => {
    const image = await copyOfFile(6);
    const { error } = await build({ client, image });
    expect(error).toMatchObject({ code: "BUILD_FAILED", reason: "full-disk", message: expect.stringMatching(/no space left/i) });
    expect(error?.info.source).toEqual(imageState(image).sources[1]);
    await expect.poll(() => readdir(join(disks.staging.path, "attempts"))).toEqual([]);
    await disks.staging.resize(64);
    expect((await build({ client, image })).error).toBeUndefined();
  });

  test("of the registry fails an upload and a push in words, and is no matter once there is room", async () => {
    await disks.staging.resize(64);
    const images = [await copyOfFile(24), largeImage(base, 24)];
    for (const image of images) {
      const { error } = await build({ client, image });
      expect(error).toMatchObject({
        code: "REGISTRY_UNAVAILABLE",
        message: expect.stringContaining("Check that the registry runs and has disk"),
      });
    }
    await disks.registry.resize(256);
    for (const image of images) expect((await build({ client, image })).error).toBeUndefined();
  });

  test("of BuildKit fails the step in words, and is no matter once there is room", async () => {
    const image = largeImage(base, 320);
    const { error } = await build({ client, image });
    expect(["BUILD_FAILED", "STEP_FAILED"]).toContain(error?.code);
    expect(error?.reason).toBe("full-disk");
    expect(error?.info.source).toEqual(imageState(image).sources[1]);
    expect(JSON.stringify(error?.info)).toMatch(/no space left/i);
    await Promise.all([disks.buildkit.resize(1024), disks.registry.resize(1024)]);
    expect((await build({ client, image })).error).toBeUndefined();
  });
});

describe("a registry behind a bad network", () => {
  const cleanUp = new AsyncDisposableStack();
  let proxy: FaultyProxy;
  let client: Client;
  let base: string;
  beforeAll(async () => {
    const shared = await servers();
    proxy = cleanUp.use(await faultyProxy(shared.registry.host));
    const registry = { ...shared.registry, host: proxy.host };
    base = await tinyBase(registry);
    const platform = cleanUp.use(await testPlatform({ uv: UV, servers: { ...shared, registry }, runner: false }));
    client = await connect({ url: platform.url, token: platform.clientToken });
  });
  afterAll(() => cleanUp.disposeAsync());

  test("that breaks in the middle of a push fails the build in words; the same build again is done", async () => {
    const image = largeImage(base, 8);
    const { outcome } = await begin(client, image);
    await proxy.sent(2 * MIB);
    proxy.become({ kind: "cut" });
    expect((await outcome).error).toMatchObject({ code: "REGISTRY_UNAVAILABLE", message: expect.stringMatching(/pushed/) });
    proxy.become({ kind: "pass" });
    expect((await build({ client, image })).error).toBeUndefined();
  });

  test("that stalls in the middle of a push holds a build up until it goes on", async () => {
    const { outcome } = await begin(client, largeImage(base, 8));
    await proxy.sent(2 * MIB);
    proxy.become({ kind: "stall" });
    proxy.become({ kind: "pass" });
    expect((await outcome).error).toBeUndefined();
  });

  test("that stalls in the middle of a push does not keep a build from being cancelled", async () => {
    const { outcome, abort } = await begin(client, largeImage(base, 8));
    await proxy.sent(2 * MIB);
    proxy.become({ kind: "stall" });
    abort();
    expect((await outcome).error).toMatchObject({ code: "CANCELLED" });
    proxy.become({ kind: "pass" });
    expect((await build({ client, image: largeImage(base, 1) })).error).toBeUndefined();
  });

  test("that is slow makes a build slow, and no more", async () => {
    const image = largeImage(base, 1);
    proxy.become({ kind: "slow", bytesPerSecond: 2 * MIB });
    expect((await build({ client, image })).error).toBeUndefined();
    proxy.become({ kind: "pass" });
  });
});

describe("a database that is restarted", () => {
  let site: Site;
  beforeAll(async () => void (site = await faultSite()));
  afterAll(() => site?.[Symbol.asyncDispose]());

  test("in the middle of a build is no matter to it", async () => {
    const { outcome } = await begin(site.client, Image.fromRegistry(site.base).runCommands(`echo begun; echo ${randomUUID()}; sleep 1`));
    const back = site.isBack("postgres");
    await killServer(site.servers.directory, "postgres", "SIGINT");
    await back;
    const { error, events } = await outcome;
    expect(error).toBeUndefined();
    await expectToldOnce(site.platform.databaseUrl, events);
  });
});
