/** One repository: each method is a request or two to the registry's API. */
import type { Scope } from "./auth.ts";
import { digestOf } from "./digest.ts";
import { downloadBlob } from "./download.ts";
import { isRegistryError, RegistryError } from "./errors.ts";
import { resolveLocation, type Answer } from "./http.ts";
import { mediaTypes, parseManifest, parseTagList, type Descriptor, type EncodedManifest, type ReadManifest } from "./manifest.ts";
import { isDigest, isTag } from "./reference.ts";
import { resolveImage } from "./resolve.ts";
import type { ApiRequest, Session } from "./session.ts";
import type { Repository, RequestOptions } from "./types.ts";
import { mountBlob, uploadBlob, type UploadTarget } from "./upload.ts";

const manifestLimitBytes = 4 * 1024 * 1024;
const configLimitBytes = 8 * 1024 * 1024;
const tagPageLimitBytes = 4 * 1024 * 1024;
const manifestTypes = [mediaTypes.ociIndex, mediaTypes.ociManifest, mediaTypes.dockerIndex, mediaTypes.dockerManifest].join(", ");

export function createRepository(options: { readonly session: Session; readonly host: string; readonly name: string }): Repository {
  const { session, host, name } = options;
  const label = `${host}/${name}`;
  const pull: Scope = [`repository:${name}:pull`];
  const push: Scope = [`repository:${name}:pull,push`];

  function read(path: string, request: Pick<ApiRequest, "action" | "headers"> & RequestOptions): Promise<Answer> {
    return session.send({ method: "GET", to: `${name}/${path}`, scope: pull, ...request });
  }

  async function manifest(reference: string, requestOptions?: RequestOptions): Promise<ReadManifest> {
    if (!isDigest(reference)) checkTag(reference);
    const what = `manifest ${reference} of ${label}`;
    const answer = await read(`manifests/${reference}`, { ...requestOptions, headers: { accept: manifestTypes }, action: `read ${what}` });
    const bytes = await answer.bytes(manifestLimitBytes);
    const announced = isDigest(reference) ? reference : answer.headers.get("docker-content-digest");
    if (announced !== null) verify(bytes, announced, what);
    return parseManifest(bytes, answer.headers.get("content-type") ?? "", what);
  }

  async function smallBlob({ digest }: Descriptor, requestOptions?: RequestOptions): Promise<Uint8Array> {
    const what = `config ${digest} of ${label}`;
    const answer = await read(`blobs/${digest}`, { ...requestOptions, action: `read ${what}` });
    const bytes = await answer.bytes(configLimitBytes);
    verify(bytes, digest, what);
    return bytes;
  }

  async function putManifestAs(reference: string, { bytes, mediaType }: EncodedManifest, requestOptions?: RequestOptions): Promise<void> {
    const answer = await session.send({
      method: "PUT",
      to: `${name}/manifests/${reference}`,
      scope: push,
      action: `store manifest ${reference} in ${label}`,
      headers: { "content-type": mediaType },
      body: new Uint8Array(bytes),
      ...requestOptions,
    });
    await answer.discard();
  }

  async function tagPage(to: URL | string, requestOptions?: RequestOptions): Promise<{ tags: string[]; next: URL | undefined }> {
    const action = `list the tags of ${label}`;
    try {
      const answer = await session.send({ method: "GET", to, scope: pull, action, ...requestOptions });
      const link = /<([^>]*)>\s*;\s*rel="?next"?/.exec(answer.headers.get("link") ?? "")?.[1];
      const tags = parseTagList(await answer.bytes(tagPageLimitBytes), `the list of tags of ${label}`);
      return { tags, next: link === undefined ? undefined : resolveLocation(link, answer.url) };
    } catch (error) {
      if (isRegistryError(error, "NOT_FOUND")) return { tags: [], next: undefined };
      throw error;
    }
  }

  async function has(kind: "blob" | "manifest", digest: string, requestOptions?: RequestOptions): Promise<boolean> {
    checkDigest(digest);
    const action = `look for ${kind} ${digest} in ${label}`;
    try {
      const to = `${name}/${kind}s/${digest}`;
      const answer = await session.send({
        method: "HEAD",
        to,
        scope: pull,
        action,
        headers: kind === "blob" ? undefined : { accept: manifestTypes },
        ...requestOptions,
      });
      await answer.discard();
      return true;
    } catch (error) {
      if (isRegistryError(error, "NOT_FOUND")) return false;
      throw error;
    }
  }

  function uploadTarget(requestOptions?: RequestOptions): UploadTarget {
    return {
      repository: name,
      send: (request) => session.send({ scope: push, ...request, ...requestOptions }),
      hasBlob: (digest) => has("blob", digest, requestOptions),
    };
  }

  return {
    name,
    manifest,
    hasManifest: (digest, requestOptions) => has("manifest", digest, requestOptions),
    hasBlob: (digest, requestOptions) => has("blob", digest, requestOptions),

    resolve(reference, platform, requestOptions) {
      const source = {
        name: label,
        manifest: (wanted: string) => manifest(wanted, requestOptions),
        smallBlob: (descriptor: Descriptor) => smallBlob(descriptor, requestOptions),
      };
      return resolveImage(source, reference, platform);
    },

    async putManifest(encoded, { tag, ...requestOptions } = {}) {
      if (tag !== undefined) checkTag(tag);
      await putManifestAs(tag ?? encoded.digest, encoded, requestOptions);
    },

    async tag(digest, tag, requestOptions) {
      checkDigest(digest);
      checkTag(tag);
      await putManifestAs(tag, await manifest(digest, requestOptions), requestOptions);
    },

    async *tags(requestOptions) {
      let to: URL | string | undefined = `${name}/tags/list?n=1000`;
      while (to !== undefined) {
        const page: { tags: string[]; next: URL | undefined } = await tagPage(to, requestOptions);
        yield* page.tags;
        to = page.next;
      }
    },

    async blob(digest, requestOptions = {}) {
      checkDigest(digest);
      const action = `read blob ${digest} of ${label}`;
      const open = (offset: number, signal: AbortSignal) =>
        read(`blobs/${digest}`, { signal, action, headers: offset === 0 ? {} : { range: `bytes=${offset}-` } });
      return downloadBlob(open, { digest, signal: requestOptions.signal });
    },

    putBlob: async (source, requestOptions) => uploadBlob(uploadTarget(requestOptions), source),

    async mountBlob(digest, from, requestOptions) {
      checkDigest(digest);
      return mountBlob(uploadTarget(requestOptions), { digest, from, scope: [...push, `repository:${from}:pull`] });
    },
  };
}

function verify(bytes: Uint8Array, announced: string, what: string): void {
  const digest = digestOf(bytes);
  if (digest !== announced) throw new RegistryError("CORRUPT", `the ${what} came as ${digest} and not as ${announced}`);
}

function checkDigest(digest: string): void {
  if (!isDigest(digest)) throw new RegistryError("INVALID_REFERENCE", `"${digest}" is not a digest: "sha256:" and 64 hexadecimal digits`);
}

function checkTag(tag: string): void {
  if (!isTag(tag)) throw new RegistryError("INVALID_REFERENCE", `"${tag}" is neither a tag nor a digest`);
}
