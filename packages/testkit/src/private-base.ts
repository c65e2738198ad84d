/** Bases in a private registry: one with a layer that is in no cache, and one for machines of another kind. */
import { createRegistry, encodeManifest, mediaTypes, parseReference } from "@lamina/registry";
import type { PrivateRegistry } from "@lamina/registry/test-support";
import { extendBase } from "./extend-base.ts";
import { tinyBase } from "./tiny-base.ts";

/** Puts the tiny base with a file `/private`, which has that content, into the registry. @returns its name, with a tag */
export async function privateBase({ host, credentials }: PrivateRegistry, content: string): Promise<string> {
  const registry = { host, user: credentials.username, password: credentials.password };
  const base = await tinyBase(registry);
  const { repository } = parseReference(base);
  return extendBase(base, registry, { files: [{ name: "private", content }], repository, tag: "v1" });
}

/** Puts an image without a layer into the registry that is for another architecture. @returns its name, with a tag */
export async function foreignBase({ host, credentials }: PrivateRegistry): Promise<string> {
  const repository = createRegistry({ host, insecure: true, credentials }).repository("bases/foreign");
  const architecture = process.arch === "arm64" ? "amd64" : "arm64";
  const config = Buffer.from(JSON.stringify({ os: "linux", architecture, config: {}, rootfs: { type: "layers", diff_ids: [] } }));
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...(await repository.putBlob({ bytes: config })) },
    layers: [],
  });
  await repository.putManifest(manifest, { tag: "v1" });
  return `${host}/${repository.name}:v1`;
}
