/** Images whose layers are any bytes: nobody unpacks them here. */
import { encodeManifest, mediaTypes, type Repository } from "@lamina/registry";

export interface FakeImage {
  readonly digest: string;
  /** The content of each layer. */
  readonly blobs: readonly string[];
}

export interface FakeImageOptions {
  readonly blobs: readonly string[];
  readonly tag?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly user?: string;
  /** That of this machine by default. */
  readonly architecture?: string;
}

export async function pushImage(repository: Repository, options: FakeImageOptions): Promise<FakeImage> {
  const { blobs, tag, annotations = {}, user = "", architecture = process.arch === "arm64" ? "arm64" : "amd64" } = options;
  const config = {
    os: "linux",
    architecture,
    config: { User: user },
    rootfs: { type: "layers" },
  };
  const stored = await repository.putBlob({ bytes: Buffer.from(JSON.stringify(config)) });
  const layers = [];
  for (const blob of blobs) {
    layers.push({ mediaType: "application/vnd.oci.image.layer.v1.tar+zstd", ...(await repository.putBlob({ bytes: Buffer.from(blob) })) });
  }
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...stored },
    layers,
    annotations: { ...annotations },
  });
  await repository.putManifest(manifest, tag === undefined ? {} : { tag });
  return { digest: manifest.digest, blobs };
}
