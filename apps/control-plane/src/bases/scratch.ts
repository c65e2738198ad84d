/** `scratch`: the image without a file, which no registry has. The platform's own keeps one, of the same bytes everywhere. */
import { Digest, type Platform } from "@lamina/ir";
import { encodeManifest, mediaTypes, type Registry } from "@lamina/registry";
import type { FoundBase } from "./look-up.ts";

export interface ScratchOptions {
  /** The platform's own. */
  readonly registry: Registry;
  readonly host: string;
  readonly repository: string;
}

/** Puts the image where builders find it. @throws {RegistryError} */
export async function putScratch({ registry, host, repository }: ScratchOptions, platform: Platform): Promise<FoundBase> {
  const images = registry.repository(repository);
  const [os, architecture] = platform.split("/");
  const config = new TextEncoder().encode(JSON.stringify({ os, architecture, config: {}, rootfs: { type: "layers", diff_ids: [] } }));
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...(await images.putBlob({ bytes: config })) },
    layers: [],
  });
  await images.putManifest(manifest, { tag: `${os}-${architecture}` });
  return { host, repository, digest: Digest.parse(manifest.digest), user: "", bytes: 0 };
}
