import { isIndex, encodeManifest, mediaTypes, createRegistry, digestOf, type Repository } from "@lamina/registry";
import type { ServerAddresses } from "@lamina/servers";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";
import { extract, pack } from "tar-stream";
import { base, servers } from "./client.ts";

/** That of the default builder version, which is in the cache. */
const PYTHON = "3.13";
const REPOSITORY = "bases/tiny";
/** A shell, a few programs for it, what they are linked with, and the links at the root of the file system. */
const KEPT =
  /^(?:bin|lib\w*|(?:usr\/)?(?:bin\/(?:sh|dash|cat|head|sleep|rm)|lib\w*\/(?:[^/]+-linux-gnu\/)?(?:ld-linux[^/]*|libc\.so\.6)))$/;

/**
 * An image of two megabytes with `sh`, `cat`, `head`, `rm` and `sleep`, by digest, for builds that are quick.
 * It is put into the given registry, else into that of the test run.
 */
export async function tinyBase(registry?: ServerAddresses["registry"]): Promise<string> {
  const shared = (await servers()).registry;
  const target = registry ?? shared;
  const layer = await tinyLayer(repositoryIn(shared, "bases/python"), (await base(PYTHON)).split("@")[1] ?? "");
  const repository = repositoryIn(target, REPOSITORY);
  const config = Buffer.from(
    JSON.stringify({
      os: "linux",
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
      config: { Env: ["PATH=/usr/bin:/bin"] },
      rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
    }),
  );
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: await stored(repository, mediaTypes.ociConfig, config),
    layers: [await stored(repository, "application/vnd.oci.image.layer.v1.tar", layer)],
  });
  await repository.putManifest(manifest);
  return `${target.host}/${REPOSITORY}@${manifest.digest}`;
}

function repositoryIn({ host, user, password }: ServerAddresses["registry"], name: string): Repository {
  return createRegistry({ host, insecure: true, credentials: { username: user, password } }).repository(name);
}

async function stored(repository: Repository, mediaType: string, bytes: Uint8Array) {
  return { mediaType, ...(await repository.putBlob({ bytes })) };
}

/** A tar of what is kept of an image of one layer. */
async function tinyLayer(repository: Repository, digest: string): Promise<Buffer> {
  const { content } = await repository.manifest(digest);
  const [layer] = isIndex(content) ? [] : content.layers;
  if (layer === undefined) throw new TypeError("the base is an image of one layer");
  const all = extract();
  const kept = pack();
  const sorting = (async () => {
    for await (const entry of all) {
      const { header } = entry;
      if (!KEPT.test(header.name.replace(/^\.?\//, ""))) entry.resume();
      else kept.entry(header, await buffer(entry));
    }
    kept.finalize();
  })();
  const [, , tar] = await Promise.all([pipeline(await repository.blob(layer.digest), createZstdDecompress(), all), sorting, buffer(kept)]);
  return tar;
}
