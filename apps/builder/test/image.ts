/** A look into an image in the registry. */
import { buffer } from "node:stream/consumers";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { isIndex, type Repository } from "@lamina/registry";
import { compressionOf } from "@lamina/testkit";
import { extract } from "tar-stream";

export interface FileInLayer {
  readonly path: string;
  readonly type: string;
  readonly mode: number;
  readonly target: string | undefined;
  readonly content: string;
}

/** The descriptors of an image's blobs, the base's first. */
export async function blobsOf(images: Repository, digest: string) {
  return (await manifestOf(images, digest)).layers;
}

/** The digest of an image's config, which has its environment and history. */
export async function configOf(images: Repository, digest: string): Promise<string> {
  return (await manifestOf(images, digest)).config.digest;
}

async function manifestOf(images: Repository, digest: string) {
  const { content } = await images.manifest(digest);
  if (isIndex(content)) throw new TypeError("one image was asked for");
  return content;
}

export async function annotationsOf(images: Repository, digest: string): Promise<Record<string, string>> {
  return { ...(await images.manifest(digest)).content.annotations };
}

/** The files of the last blob of an image, by path. */
export async function lastLayer(images: Repository, digest: string): Promise<Map<string, FileInLayer>> {
  const blob = (await blobsOf(images, digest)).at(-1);
  if (blob === undefined) throw new TypeError("the image has no layers");
  return filesOf(await bytesOf(images, blob.digest));
}

/** The bytes of a blob, decompressed where it is compressed. */
export async function bytesOf(images: Repository, digest: string): Promise<Buffer> {
  const bytes = await buffer(await images.blob(digest));
  const compression = compressionOf(bytes);
  if (compression === "zstd") return zstdDecompressSync(bytes);
  return compression === "gzip" ? gunzipSync(bytes) : bytes;
}

async function filesOf(tar: Buffer): Promise<Map<string, FileInLayer>> {
  const files = new Map<string, FileInLayer>();
  const entries = extract();
  entries.end(tar);
  for await (const entry of entries) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) if (chunk instanceof Uint8Array) chunks.push(chunk);
    const { name, type, mode, linkname } = entry.header;
    const path = name.replace(/\/$/, "");
    files.set(path, { path, type: type ?? "", mode: mode ?? 0, target: linkname ?? undefined, content: Buffer.concat(chunks).toString() });
  }
  return files;
}
