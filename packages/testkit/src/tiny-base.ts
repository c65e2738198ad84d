/** Small images, which are built on quickly. */
import { createRegistry, digestOf, encodeManifest, mediaTypes, type Repository } from "@lamina/registry";
import type { ServerAddresses } from "@lamina/servers";
import { servers } from "./client.ts";
import { tinyLayer } from "./tiny-layer.ts";

interface Content {
  readonly repository: string;
  /** Which members of the base's tar are kept. */
  readonly kept: readonly RegExp[];
}

/** A shell, a few programs for it, what they are linked with, and the links at the root of the file system. */
const SHELL: RegExp =
  /^(?:bin|lib\w*|(?:usr\/)?(?:bin\/(?:sh|dash|cat|head|sleep|rm|date|find|grep|id|ls|sed)|lib\w*\/(?:[^/]+-linux-gnu\/)?(?:ld-linux[^/]*|lib(?:acl|c|cap|m|pcre2-8|selinux)\.so\.\d[^/]*)))$/;

const PYTHON_ALONE: RegExp =
  /^(?:tmp\/?|usr\/bin\/(?:python3[\d.]*|mkdir|realpath|dirname)|usr\/lib\/(?:[^/]+-linux-gnu\/lib(?:z|zstd|lzma|bz2|expat|ffi|ssl|crypto|pthread|dl|rt|util)\.so\.\d[^/]*|python3[^/]*\/(?!(?:config-|ensurepip|idlelib|pydoc_data|test|tkinter)).*))$/;

const TINY: Content = { repository: "bases/tiny", kept: [SHELL] };
const TINY_PYTHON: Content = { repository: "bases/tiny-python", kept: [SHELL, PYTHON_ALONE] };

/**
 * An image of five megabytes with `sh`, `cat`, `head`, `rm`, `sleep` and what the search of a step with secrets needs, by
 * digest, for builds that are quick. It is put into the given registry, else into that of the test run.
 */
export function tinyBase(registry?: ServerAddresses["registry"]): Promise<string> {
  return published(TINY, registry);
}

/** The same with Python, for `pipInstall`, and with what Poetry's own packages take for granted. */
export function tinyPython(registry?: ServerAddresses["registry"]): Promise<string> {
  return published(TINY_PYTHON, registry);
}

async function published({ repository: name, kept }: Content, registry: ServerAddresses["registry"] | undefined): Promise<string> {
  const target = registry ?? (await servers()).registry;
  const layer = await tinyLayer(kept);
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
