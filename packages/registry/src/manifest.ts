/** The documents of the OCI image specification, and Docker's of the same shape, as far as this client reads them. */
import { z } from "zod";
import { digestOf } from "./digest.ts";
import { RegistryError } from "./errors.ts";

export const mediaTypes = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  /** The config of a manifest that is not an image: the two bytes `{}`. */
  ociEmpty: "application/vnd.oci.empty.v1+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
} as const;

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const Annotations = z.record(z.string(), z.string());

export const Descriptor = z.looseObject({
  mediaType: z.string(),
  digest: Digest,
  size: z.int().nonnegative(),
  annotations: Annotations.nullish(),
});
/** Names bytes in a registry. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>> | null | undefined;
}

/** A manifest of one image or one artifact. */
export const ImageManifest = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.enum([mediaTypes.ociManifest, mediaTypes.dockerManifest]),
  artifactType: z.string().nullish(),
  config: Descriptor,
  layers: z.array(Descriptor),
  annotations: Annotations.nullish(),
});
export type ImageManifest = z.infer<typeof ImageManifest>;

/** A list of manifests, one for each platform. */
export const ImageIndex = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.enum([mediaTypes.ociIndex, mediaTypes.dockerIndex]),
  manifests: z.array(
    Descriptor.extend({
      platform: z.looseObject({ os: z.string(), architecture: z.string(), variant: z.string().nullish() }).nullish(),
    }),
  ),
  annotations: Annotations.nullish(),
});
export type ImageIndex = z.infer<typeof ImageIndex>;

export type Manifest = ImageManifest | ImageIndex;

/** What is read of an image's config; containers start with it. */
export const ImageConfig = z.looseObject({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().nullish(),
  config: z
    .looseObject({
      User: z.string().nullish(),
      Env: z.array(z.string()).nullish(),
      WorkingDir: z.string().nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      Labels: Annotations.nullish(),
    })
    .nullish(),
  history: z.array(z.looseObject({ created_by: z.string().nullish() })).nullish(),
});
export type ImageConfig = z.infer<typeof ImageConfig>;

/** A manifest as its bytes, which alone decide its digest. */
export interface EncodedManifest {
  readonly mediaType: string;
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** A manifest as it came, and what it says. */
export type ReadManifest = EncodedManifest & { readonly content: Manifest };

/** The bytes of a new manifest. The order of its keys is kept, so the same object written twice has the same digest. */
export function encodeManifest(manifest: Manifest): EncodedManifest {
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  return { mediaType: manifest.mediaType, digest: digestOf(bytes), size: bytes.byteLength, bytes };
}

export function isIndex(manifest: Manifest): manifest is ImageIndex {
  return manifest.mediaType === mediaTypes.ociIndex || manifest.mediaType === mediaTypes.dockerIndex;
}

export function isConfig({ mediaType }: Descriptor): boolean {
  return mediaType === mediaTypes.ociConfig || mediaType === mediaTypes.dockerConfig;
}

/**
 * Reads a manifest's bytes.
 * @param contentType the header of the answer; it counts where the document does not say its own type
 * @throws {RegistryError} `CORRUPT` or `UNSUPPORTED`
 */
export function parseManifest(bytes: Uint8Array, contentType: string, label: string): ReadManifest {
  const document = parseObject(bytes, label);
  const mediaType = typeof document["mediaType"] === "string" ? document["mediaType"] : contentType.split(";", 1)[0]?.trim();
  const schema = schemaOf(mediaType);
  if (schema === undefined)
    throw new RegistryError("UNSUPPORTED", `${label} has the media type "${mediaType}", which this client does not read`);
  const parsed = schema.safeParse({ ...document, mediaType });
  if (!parsed.success) throw new RegistryError("CORRUPT", `${label} is not a valid manifest`, { cause: parsed.error });
  return { content: parsed.data, mediaType: parsed.data.mediaType, digest: digestOf(bytes), size: bytes.byteLength, bytes };
}

export function parseConfig(bytes: Uint8Array, label: string): ImageConfig {
  const parsed = ImageConfig.safeParse(parseObject(bytes, `the config of ${label}`));
  if (!parsed.success) throw new RegistryError("CORRUPT", `the config of ${label} is not valid`, { cause: parsed.error });
  return parsed.data;
}

export function parseTagList(bytes: Uint8Array, label: string): string[] {
  const parsed = TagList.safeParse(parseObject(bytes, label));
  if (!parsed.success) throw new RegistryError("CORRUPT", `${label} is not valid`, { cause: parsed.error });
  return parsed.data.tags ?? [];
}

/** A repository without tags may say null. */
const TagList = z.looseObject({ tags: z.array(z.string()).nullish() });

function schemaOf(mediaType: string | undefined): typeof ImageManifest | typeof ImageIndex | undefined {
  if (mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerIndex) return ImageIndex;
  if (mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest) return ImageManifest;
  return undefined;
}

function parseObject(bytes: Uint8Array, label: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    throw new RegistryError("CORRUPT", `${label} is not JSON`, { cause: error });
  }
  throw new RegistryError("CORRUPT", `${label} is not a JSON object`);
}
