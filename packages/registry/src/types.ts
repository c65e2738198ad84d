/** What users of this package hold: a registry, and a repository in it. */
import type { Readable } from "node:stream";
import type { Descriptor, EncodedManifest, ReadManifest } from "./manifest.ts";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface RegistryOptions {
  /** As references name it, with its port: `docker.io`, `127.0.0.1:5000`. */
  readonly host: string;
  /** Speak plain HTTP. */
  readonly insecure?: boolean | undefined;
  readonly credentials?: Credentials | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
}

export interface Timeouts {
  /** From sending a request without a body to its answer's header, in milliseconds. Default 30,000. */
  readonly responseMs: number;
  /** Between two pieces of an answer's body, in milliseconds. Default 60,000. */
  readonly idleMs: number;
  /** From sending a piece of an upload (6 MiB at most) to its answer, in milliseconds. Default 300,000. */
  readonly uploadMs: number;
}

export interface RequestOptions {
  /** Ends the request and its retries; what is thrown is then the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface Registry {
  /** @throws {RegistryError} `INVALID_REFERENCE` when the name is malformed. Asks nothing. */
  repository(name: string): Repository;
}

/**
 * One repository. Every method asks the registry, retries what may be retried, checks the digest of what came,
 * and throws a RegistryError.
 */
export interface Repository {
  readonly name: string;
  /**
   * The manifest of one platform, through an index where there is one, and its config.
   * @param reference a tag or a digest
   * @param platform `os/architecture[/variant]`, such as `linux/amd64` or `linux/arm/v7`
   */
  resolve(reference: string, platform: string, options?: RequestOptions): Promise<ResolvedImage>;
  /** A manifest as it lies there, index or not. */
  manifest(reference: string, options?: RequestOptions): Promise<ReadManifest>;
  hasManifest(digest: string, options?: RequestOptions): Promise<boolean>;
  /** Stores a manifest by its digest, and under the tag where one is given. What it names must be in the repository. */
  putManifest(manifest: EncodedManifest, options?: RequestOptions & { readonly tag?: string }): Promise<void>;
  /** Lets a tag name a manifest that is there by its digest. */
  tag(digest: string, tag: string, options?: RequestOptions): Promise<void>;
  /** Every tag, in the registry's order, page by page. A repository that is not there has none. */
  tags(options?: RequestOptions): AsyncIterable<string>;
  hasBlob(digest: string, options?: RequestOptions): Promise<boolean>;
  /**
   * The bytes of a blob. A connection that breaks is taken up where it broke. The stream fails with `CORRUPT` at its end when the bytes
   * are not those of the digest, so use nothing of it before it has ended.
   */
  blob(digest: string, options?: RequestOptions): Promise<Readable>;
  /** Stores a blob. A stream is sent as it comes, in pieces; one with a known digest is not read when the blob is there already. */
  putBlob(source: BlobSource, options?: RequestOptions): Promise<StoredBlob>;
  /** Takes a blob over from another repository of this registry without moving bytes. False when the registry would not: upload it then. */
  mountBlob(digest: string, from: string, options?: RequestOptions): Promise<boolean>;
}

export type BlobSource =
  | { readonly bytes: Uint8Array }
  | {
      readonly stream: AsyncIterable<Uint8Array>;
      /** Where it is known it is checked. */
      readonly digest?: string | undefined;
      /** In bytes; where it is known it is checked. */
      readonly size?: number | undefined;
    };

export interface StoredBlob {
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
}

/** The manifest of an image for one platform. */
export interface ResolvedImage {
  readonly digest: string;
  readonly mediaType: string;
  /** Of the manifest, in bytes. */
  readonly size: number;
  readonly config: ContainerConfig;
  /** What each step of its making says of itself, the oldest first. */
  readonly history: readonly string[];
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a container of the image starts with. */
export interface ContainerConfig {
  /** Empty for root. */
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  /** `/` where the image says nothing. */
  readonly workdir: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}
