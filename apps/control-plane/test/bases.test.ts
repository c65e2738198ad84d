import { createRegistry, parseReference } from "@lamina/registry";
import { once } from "node:events";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { pushImage } from "./support/image.ts";
import { testControlPlane, type TestControlPlane } from "./support/platform.ts";
import { chain, definition, plan } from "./support/requests.ts";

/** Nobody listens there. */
const unreachable = { LAMINA_BASE_REGISTRY: "127.0.0.1:9/library" };
const python = (version: string) => ({ ...chain(), base: { kind: "debianSlim" as const, pythonVersion: version } });

async function keepBase({ config }: TestControlPlane, version: string) {
  const repository = createRegistry(config.registry).repository(`${config.repositoryPrefix}/bases/python`);
  return pushImage(repository, { blobs: [`base with ${version}`], tag: `${version}-slim` });
}

/** A command that stands in for the one that makes bases: it takes a kept base of another version for its own. */
const maker = (script: string) => JSON.stringify([process.execPath, "-e", script, "--"]);

test("the error for a version that cannot be had names those that can", async () => {
  await using platform = await testControlPlane();
  await keepBase(platform, "3.11");
  const wanted = plan(platform, python("3.2"));
  await expect(wanted).rejects.toMatchObject({
    code: "BASE_NOT_FOUND",
    reason: "unknown-python-version",
    message: expect.stringMatching(/Python 3\.2.*3\.11, 3\.13/),
  });
});

test("where no base registry can be reached, a base that was kept is used", async () => {
  await using platform = await testControlPlane({ environment: unreachable });
  const kept = await keepBase(platform, "3.11");
  const { definition: resolved, base } = await plan(platform, python("3.11"));
  expect(resolved.base.digest).toBe(kept.digest);
  expect(base.reference).toBe(`${platform.config.registry.host}/${platform.config.repositoryPrefix}/bases/python@${kept.digest}`);
  // It is no image of any registry's, and so is not what fromRegistry means by whatever name.
  const [{ reference } = { reference: "" }] = await platform.sql<{ reference: string }>("SELECT reference FROM base");
  expect(() => parseReference(reference)).toThrow("debianSlim 3.11");
});

test.each([
  { status: 401, code: "BASE_NOT_FOUND" },
  { status: 429, code: "REGISTRY_UNAVAILABLE" },
])("a base registry that answers $status is an error, though a base was kept", async ({ status, code }) => {
  const refusing = createServer((_, answer) => answer.writeHead(status, { "retry-after": "3600" }).end()).listen(0, "127.0.0.1");
  await once(refusing, "listening");
  const address = refusing.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    await using platform = await testControlPlane({ environment: { LAMINA_BASE_REGISTRY: `127.0.0.1:${port}/library` } });
    await keepBase(platform, "3.11");
    await expect(plan(platform, python("3.11"))).rejects.toMatchObject({ code, message: expect.stringContaining(String(status)) });
  } finally {
    refusing.close();
  }
});

test("where none was kept either, the command makes one", async () => {
  const script = `
    const [version, target] = process.argv.slice(1);
    const [, host, repository, tag] = /^([^/]+)\\/(.*):([^:]+)$/.exec(target);
    const headers = { authorization: "Basic " + btoa(process.env.REGISTRY_USERNAME + ":" + process.env.REGISTRY_PASSWORD) };
    const at = (name) => "http://" + host + "/v2/" + repository + "/manifests/" + name;
    const accept = "application/vnd.oci.image.manifest.v1+json";
    const other = await fetch(at("3.11-slim"), { headers: { ...headers, accept } });
    const stored = await fetch(at(tag), { method: "PUT", headers: { ...headers, "content-type": accept }, body: await other.text() });
    console.error("made " + version);
    process.exit(stored.ok && process.env.LAMINA_SECRET_KEY === undefined ? 0 : 1);`;
  await using platform = await testControlPlane({ environment: { ...unreachable, LAMINA_BASE_MAKER: maker(script) } });
  const kept = await keepBase(platform, "3.11");
  expect((await plan(platform, python("3.12"))).definition.base.digest).toBe(kept.digest);
});

test("what the command says last is the error when it fails", async () => {
  const script = `console.error("There is no Debian base with Python 3.2. Those that can be made: 3.11."); process.exit(1);`;
  await using platform = await testControlPlane({ environment: { ...unreachable, LAMINA_BASE_MAKER: maker(script) } });
  const wanted = plan(platform, python("3.2"));
  await expect(wanted).rejects.toMatchObject({ code: "BASE_NOT_FOUND", message: expect.stringContaining("Those that can be made: 3.11") });
});

test("fromRegistry says what is wrong with a reference", async () => {
  await using platform = await testControlPlane();
  const from = (reference: string) => ({ ...definition([]), base: { kind: "fromRegistry" as const, reference } });
  const own = `${platform.config.registry.host}/${platform.config.repositoryPrefix}/library/python`;
  expect((await plan(platform, from(`${own}:3.13-slim`))).definition.base.digest).toBe(platform.base.digest);
  await expect(plan(platform, from(`${own}:none`))).rejects.toMatchObject({ code: "BASE_NOT_FOUND", reason: "unknown-base" });
  await expect(plan(platform, from("Not A Reference"))).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(plan(platform, from("127.0.0.1:9/x:y"))).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
});

test("scratch is an image without a file, the same one for every platform that is asked", async () => {
  await using platform = await testControlPlane();
  await using other = await testControlPlane();
  const from = { ...definition([]), base: { kind: "fromRegistry" as const, reference: "scratch" } };
  const { base, definition: resolved } = await plan(platform, from);
  expect((await plan(other, from)).definition.base.digest).toBe(resolved.base.digest);
  expect((await plan(platform, { ...from, platform: "linux/arm64" })).definition.base.digest).not.toBe(resolved.base.digest);
  const { host } = platform.config.registry;
  expect(base.reference).toBe(`${host}/${platform.config.repositoryPrefix}/bases/scratch@${resolved.base.digest}`);
  const image = await createRegistry(platform.config.registry)
    .repository(`${platform.config.repositoryPrefix}/bases/scratch`)
    .resolve("linux-amd64", "linux/amd64");
  expect(image).toMatchObject({ digest: resolved.base.digest, layers: [] });
});

test("a base of another architecture is refused, and the message says which there are", async () => {
  await using platform = await testControlPlane();
  const repository = createRegistry(platform.config.registry).repository(`${platform.config.repositoryPrefix}/foreign`);
  await pushImage(repository, { blobs: ["foreign"], tag: "1", architecture: "arm64" });
  const from = {
    ...definition([]),
    base: { kind: "fromRegistry" as const, reference: `${platform.config.registry.host}/${platform.config.repositoryPrefix}/foreign:1` },
  };
  await expect(plan(platform, { ...from, platform: "linux/amd64" })).rejects.toMatchObject({
    code: "BASE_NOT_FOUND",
    reason: "base-for-another-platform",
    message: expect.stringMatching(/foreign:1 cannot be had: .* is not there for linux\/amd64; it has linux\/arm64/),
  });
  expect((await plan(platform, { ...from, platform: "linux/arm64" })).definition.platform).toBe("linux/arm64");
});
