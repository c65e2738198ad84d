import { isIndex, encodeManifest, mediaTypes, createRegistry, digestOf, type Repository } from "@lamina/registry";
import type { ServerAddresses } from "@lamina/servers";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";
import { extract, pack } from "tar-stream";
import { base, servers } from "./client.ts";

/** That of the default builder version, which is in the cache. */
const PYTHON = "3.13";

interface Content {
  readonly repository: string;
  /** Which members of the base's tar are kept. */
  readonly kept: readonly RegExp[];
}

/** A shell, a few programs for it, what they are linked with, and the links at the root of the file system. */
const SHELL: RegExp =
  /^(?:bin|lib\w*|(?:usr\/)?(?:bin\/(?:sh|dash|cat|head|sleep|rm|date|find|grep|id|ls|sed)|lib\w*\/(?:[^/]+-linux-gnu\/)?(?:ld-linux[^/]*|lib(?:acl|c|cap|m|pcre2-8|selinux)\.so\.\d[^/]*)))$/;

const PYTHON_ALONE: RegExp =
  /^(?:tmp\/?|usr\/bin\/(?:python3[\d.]*|mkdir)|usr\/lib\/(?:[^/]+-linux-gnu\/lib(?:z|expat|ffi)\.so\.\d[^/]*|python3[^/]*\/(?!(?:config-|ensurepip|idlelib|pydoc_data|test|tkinter)).*))$/;

const TINY: Content = { repository: "bases/tiny", kept: [SHELL] };
const TINY_PYTHON: Content = { repository: "bases/tiny-python", kept: [SHELL, PYTHON_ALONE] };

/**
 * An image of four megabytes with `sh`, `cat`, `head`, `rm`, `sleep` and what the search of a step with secrets needs, by
 * digest, for builds that are quick. It is put into the given registry, else into that of the test run.
 */
export function tinyBase(registry?: ServerAddresses["registry"]): Promise<string> {
  return published(TINY, registry);
}

/** The same with Python, for `pipInstall`. */
export function tinyPython(registry?: ServerAddresses["registry"]): Promise<string> {
  return published(TINY_PYTHON, registry);
}

async function published({ repository: name, kept }: Content, registry: ServerAddresses["registry"] | undefined): Promise<string> {
  const shared = (await servers()).registry;
  const target = registry ?? shared;
  const digest = (await base(PYTHON)).split("@")[1] ?? "";
  const layer = await layerOf(repositoryIn(shared, "bases/python"), digest, kept);
  const repository = repositoryIn(target, name);
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
  return `${target.host}/${name}@${manifest.digest}`;
}

function repositoryIn({ host, user, password }: ServerAddresses["registry"], name: string): Repository {
  return createRegistry({ host, insecure: true, credentials: { username: user, password } }).repository(name);
}

async function stored(repository: Repository, mediaType: string, bytes: Uint8Array) {
  return { mediaType, ...(await repository.putBlob({ bytes })) };
}

/** A tar of what is kept of an image of one layer. */
async function layerOf(repository: Repository, digest: string, wanted: readonly RegExp[]): Promise<Buffer> {
  const { content } = await repository.manifest(digest);
  const [layer] = isIndex(content) ? [] : content.layers;
  if (layer === undefined) throw new TypeError("the base is an image of one layer");
  const all = extract();
  const kept = pack();
  const sorting = (async () => {
    for await (const entry of all) {
      const { header } = entry;
      const name = header.name.replace(/^\.?\//, "");
      if (!wanted.some((pattern) => pattern.test(name))) entry.resume();
      else kept.entry(header, await buffer(entry));
    }
    kept.finalize();
  })();
  const [, , tar] = await Promise.all([pipeline(await repository.blob(layer.digest), createZstdDecompress(), all), sorting, buffer(kept)]);
  return tar;
}
