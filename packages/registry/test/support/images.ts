/** Small images to put into a registry. */
import { encodeManifest, mediaTypes, type EncodedManifest, type ImageIndex, type Repository } from "../../src/index.ts";

export interface Made {
  readonly os?: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly config?: object;
}

/** Stores an image of one layer for a platform. */
export async function putImage(repository: Repository, made: Made): Promise<EncodedManifest> {
  const { os = "linux", config, ...platform } = made;
  const layer = await repository.putBlob({ bytes: Buffer.from(`the layer of ${JSON.stringify(made)}`) });
  const stored = await repository.putBlob({
    bytes: Buffer.from(JSON.stringify({ os, ...platform, config, rootfs: { type: "layers", diff_ids: [layer.digest] } })),
  });
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...stored },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...layer }],
    annotations: { "org.example.made": "by a test" },
  });
  await repository.putManifest(manifest);
  return manifest;
}

/** An index over images, each with the platform that it was made for. */
export function indexOf(...entries: readonly (readonly [EncodedManifest, Made])[]): EncodedManifest {
  const manifests: ImageIndex["manifests"] = entries.map(([{ mediaType, digest, size }, { os = "linux", architecture, variant }]) => ({
    mediaType,
    digest,
    size,
    platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
  }));
  return encodeManifest({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
}
