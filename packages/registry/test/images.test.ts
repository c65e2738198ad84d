import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRegistry, encodeManifest, mediaTypes, type Registry } from "../src/index.ts";
import { credentials, startDistribution, type Distribution } from "./support/distribution.ts";
import { indexOf, putImage } from "./support/images.ts";

let distribution: Distribution;
let registry: Registry;
beforeAll(async () => {
  distribution = await startDistribution();
  registry = createRegistry({ host: distribution.host, insecure: true, credentials });
});
afterAll(() => distribution[Symbol.asyncDispose]());

test("whether a manifest is there is asked without reading it", async () => {
  const repository = registry.repository("team/present");
  const { digest } = await putImage(repository, { architecture: "amd64" });
  expect(await repository.hasManifest(digest)).toBe(true);
  expect(await repository.hasManifest(`sha256:${"0".repeat(64)}`)).toBe(false);
  expect(await registry.repository("team/absent").hasManifest(digest)).toBe(false);
});

describe("resolve", () => {
  test("follows an index to the platform, and tells what a container starts with", async () => {
    const repository = registry.repository("team/app");
    const arm = { architecture: "arm64", variant: "v8" };
    const amd = {
      architecture: "amd64",
      config: {
        User: "65534:65534",
        Env: ["PATH=/bin", "EQUATION=a=b"],
        WorkingDir: "/srv",
        Entrypoint: ["/init"],
        Cmd: ["run"],
        Labels: { a: "1" },
      },
    };
    const [armImage, amdImage] = [await putImage(repository, arm), await putImage(repository, amd)];
    await repository.putManifest(indexOf([armImage, arm], [amdImage, amd]), { tag: "v1" });

    const resolved = await repository.resolve("v1", "linux/amd64");

    expect(resolved).toMatchObject({
      digest: amdImage.digest,
      mediaType: mediaTypes.ociManifest,
      size: amdImage.size,
      config: {
        user: "65534:65534",
        env: { PATH: "/bin", EQUATION: "a=b" },
        workdir: "/srv",
        entrypoint: ["/init"],
        cmd: ["run"],
        labels: { a: "1" },
      },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar" }],
      annotations: { "org.example.made": "by a test" },
    });
    expect((await repository.resolve("v1", "linux/arm64")).digest).toBe(armImage.digest);
  });

  test("takes an image without an index when it is for the platform, and has defaults for what it leaves out", async () => {
    const repository = registry.repository("team/single");
    const { digest } = await putImage(repository, { architecture: "amd64" });

    expect(await repository.resolve(digest, "linux/amd64")).toMatchObject({
      digest,
      config: { user: "", env: {}, workdir: "/", entrypoint: [], cmd: [], labels: {} },
    });
    await expect(repository.resolve(digest, "linux/arm64")).rejects.toMatchObject({
      code: "NO_SUCH_PLATFORM",
      message: expect.stringContaining("it has linux/amd64"),
    });
  });

  test("names the platforms that there are when the one asked for is missing", async () => {
    const repository = registry.repository("team/arm-only");
    const made = { architecture: "arm", variant: "v7" };
    const attestation = { os: "unknown", architecture: "unknown" };
    const image = await putImage(repository, made);
    await repository.putManifest(indexOf([image, made], [image, attestation]), { tag: "v1" });

    await expect(repository.resolve("v1", "linux/amd64")).rejects.toMatchObject({
      code: "NO_SUCH_PLATFORM",
      message: expect.stringMatching(/not there for linux\/amd64; it has linux\/arm\/v7$/),
    });
  });

  test("says that an artifact is not an image", async () => {
    const repository = registry.repository("team/artifact");
    const config = await repository.putBlob({ bytes: Buffer.from("{}") });
    const manifest = encodeManifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: "application/vnd.example",
      config: { mediaType: mediaTypes.ociEmpty, ...config },
      layers: [],
    });
    await repository.putManifest(manifest);

    expect((await repository.manifest(manifest.digest)).content).toMatchObject({ artifactType: "application/vnd.example" });
    await expect(repository.resolve(manifest.digest, "linux/amd64")).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });
});

describe("manifests and tags", () => {
  test("a manifest comes back byte for byte, by digest and by tag", async () => {
    const repository = registry.repository("team/manifests");
    const image = await putImage(repository, { architecture: "amd64" });
    await repository.tag(image.digest, "v1");

    for (const reference of [image.digest, "v1"]) expect(await repository.manifest(reference)).toMatchObject(image);
  });

  test("a manifest that names a missing blob is refused", async () => {
    const missing = { digest: `sha256:${"0".repeat(64)}`, size: 1, mediaType: "application/octet-stream" };
    const manifest = encodeManifest({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: missing, layers: [] });

    await expect(registry.repository("team/manifests").putManifest(manifest)).rejects.toMatchObject({
      message: expect.stringContaining("MANIFEST_BLOB_UNKNOWN"),
    });
  });

  test("tags come page by page, every one once", async () => {
    const repository = registry.repository("team/tagged");
    const image = await putImage(repository, { architecture: "amd64" });
    const names = Array.from({ length: 25 }, (_, index) => `v${index}`).sort();
    for (const name of names) await repository.tag(image.digest, name);

    const pages: string[] = [];
    const small = createRegistry({
      host: distribution.host,
      insecure: true,
      credentials,
      fetch: (input, init) => {
        const url = new URL(input instanceof Request ? input.url : input);
        if (url.pathname.endsWith("/tags/list")) pages.push(url.search);
        if (url.searchParams.has("n")) url.searchParams.set("n", "10");
        return fetch(url, init);
      },
    });

    expect(await collect(small.repository("team/tagged").tags())).toEqual(names);
    expect(new Set(pages).size).toBe(3);
  });

  test("a repository that is not there has no tags", async () => {
    expect(await collect(registry.repository("team/nothing").tags())).toEqual([]);
  });

  test("what is missing is NOT_FOUND", async () => {
    const repository = registry.repository("team/nothing");
    await expect(repository.manifest("v1")).rejects.toMatchObject({ code: "NOT_FOUND", status: 404 });
    await expect(repository.blob(`sha256:${"0".repeat(64)}`)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await repository.hasBlob(`sha256:${"0".repeat(64)}`)).toBe(false);
  });

  test("what cannot be a reference is refused before anything is asked", async () => {
    const repository = registry.repository("team/app");
    await expect(repository.manifest("../other/manifests/v1")).rejects.toMatchObject({ code: "INVALID_REFERENCE" });
    await expect(repository.blob("sha256:abc")).rejects.toMatchObject({ code: "INVALID_REFERENCE" });
    expect(() => registry.repository("Team/app")).toThrow(expect.objectContaining({ code: "INVALID_REFERENCE" }));
  });
});

async function collect(values: AsyncIterable<string>): Promise<string[]> {
  const collected: string[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}
