export { digestOf } from "./digest.ts";
export { isRegistryError, RegistryError, type RegistryErrorCode } from "./errors.ts";
export {
  encodeManifest,
  isIndex,
  mediaTypes,
  type Descriptor,
  type EncodedManifest,
  type ImageIndex,
  type ImageManifest,
  type Manifest,
  type ReadManifest,
} from "./manifest.ts";
export { formatReference, parseReference, type Reference, type ReferenceParts } from "./reference.ts";
export { createRegistry } from "./registry.ts";
export type {
  BlobSource,
  ContainerConfig,
  Credentials,
  Registry,
  RegistryOptions,
  Repository,
  RequestOptions,
  ResolvedImage,
  StoredBlob,
  Timeouts,
} from "./types.ts";
