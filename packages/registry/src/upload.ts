/** Storing a blob: in one request when it is small, else piece by piece. */
import { createDigester, digestOf } from "./digest.ts";
import { isRegistryError, RegistryError } from "./errors.ts";
import { resolveLocation, type Answer } from "./http.ts";
import type { Scope } from "./auth.ts";
import type { ApiRequest } from "./session.ts";
import type { BlobSource, StoredBlob } from "./types.ts";

/** Large enough for the registries that refuse small pieces (5 MiB), small enough to hold a few. */
export const pieceBytes = 6 * 1024 * 1024;

export interface UploadTarget {
  readonly repository: string;
  send(request: Omit<ApiRequest, "scope" | "signal"> & Partial<Pick<ApiRequest, "scope">>): Promise<Answer>;
  hasBlob(digest: string): Promise<boolean>;
}

export async function uploadBlob(target: UploadTarget, source: BlobSource): Promise<StoredBlob> {
  const expected = "bytes" in source ? { digest: digestOf(source.bytes), size: source.bytes.byteLength } : source;
  const pieces = piecesOf("bytes" in source ? [source.bytes] : source.stream);
  try {
    if (expected.digest !== undefined && expected.size !== undefined && (await target.hasBlob(expected.digest))) {
      return { digest: expected.digest, size: expected.size };
    }
    const { value: first } = await pieces.next();
    if (first === undefined || first.isLast) return await sendWhole(target, first?.bytes ?? new Uint8Array(), expected);
    return await sendPieces(target, prepend(first, pieces), expected);
  } finally {
    await pieces.return(undefined);
  }
}

/** A registry that does not mount begins an upload instead, which is called off. */
export async function mountBlob(target: UploadTarget, mount: { digest: string; from: string; scope: Scope }): Promise<boolean> {
  const { digest, from, scope } = mount;
  const answer = await target.send({
    method: "POST",
    to: `${target.repository}/blobs/uploads/?${new URLSearchParams({ mount: digest, from }).toString()}`,
    scope,
    action: `mount blob ${digest} of ${from} into ${target.repository}`,
  });
  if (answer.status === 201) {
    await answer.discard();
    return true;
  }
  await discardUpload(target, await nextLocation(answer));
  return false;
}

type Expected = { readonly digest?: string | undefined; readonly size?: number | undefined };

async function sendWhole(target: UploadTarget, body: Uint8Array<ArrayBuffer>, expected: Expected): Promise<StoredBlob> {
  const stored = checked({ digest: digestOf(body), size: body.byteLength }, expected);
  // Where it was known what comes, it was asked for already.
  const isKnownToLack = expected.digest !== undefined && expected.size !== undefined;
  if (isKnownToLack || !(await target.hasBlob(stored.digest))) await finish(target, { location: await start(target), stored, body });
  return stored;
}

async function sendPieces(target: UploadTarget, pieces: AsyncIterable<Piece>, expected: Expected): Promise<StoredBlob> {
  const digester = createDigester();
  let location = await start(target);
  let size = 0;
  try {
    for await (const { bytes } of pieces) {
      digester.update(bytes);
      location = await sendPiece(target, location, { body: bytes, offset: size });
      size += bytes.byteLength;
    }
    const stored = checked({ digest: digester.digest(), size }, expected);
    await finish(target, { location, stored, body: new Uint8Array() });
    return stored;
  } catch (error) {
    await discardUpload(target, location);
    throw error;
  }
}

/** An upload that was begun twice leaves an empty one behind, which the registry removes in time. */
async function start(target: UploadTarget): Promise<URL> {
  const answer = await target.send({ method: "POST", to: `${target.repository}/blobs/uploads/`, action: `upload to ${target.repository}` });
  return nextLocation(answer);
}

async function sendPiece(target: UploadTarget, location: URL, piece: { body: Uint8Array<ArrayBuffer>; offset: number }): Promise<URL> {
  const { body, offset } = piece;
  const headers = { "content-type": "application/octet-stream", "content-range": `${offset}-${offset + body.byteLength - 1}` };
  try {
    return await nextLocation(
      await target.send({ method: "PATCH", to: location, headers, body, action: `upload to ${target.repository}` }),
    );
  } catch (error) {
    // The range lets a piece be sent again without harm: when the first sending did arrive, the second is refused.
    if (!isRegistryError(error, "REJECTED", "NOT_FOUND")) throw error;
    throw new RegistryError("UNAVAILABLE", `the upload to ${target.repository} was lost by the registry; start it again`, { cause: error });
  }
}

async function finish(target: UploadTarget, upload: { location: URL; stored: StoredBlob; body: Uint8Array<ArrayBuffer> }): Promise<void> {
  const { location, stored, body } = upload;
  const to = new URL(location);
  to.searchParams.set("digest", stored.digest);
  const headers = { "content-type": "application/octet-stream" };
  try {
    await (await target.send({ method: "PUT", to, headers, body, action: `finish the upload to ${target.repository}` })).discard();
  } catch (error) {
    // The answer to a first sending may have been lost, and the upload is over then.
    if (!isRegistryError(error) || !(await target.hasBlob(stored.digest))) throw error;
  }
}

async function discardUpload(target: UploadTarget, location: URL): Promise<void> {
  try {
    await (await target.send({ method: "DELETE", to: location, action: `cancel the upload to ${target.repository}` })).discard();
  } catch {
    // What failed before matters; the registry removes abandoned uploads in time.
  }
}

async function nextLocation(answer: Answer): Promise<URL> {
  await answer.discard();
  const location = answer.headers.get("location");
  if (location === null) throw new RegistryError("CORRUPT", `${answer.url.host} began an upload and did not say where`);
  return resolveLocation(location, answer.url);
}

function checked(stored: StoredBlob, expected: Expected): StoredBlob {
  if (expected.size !== undefined && expected.size !== stored.size) {
    throw new RegistryError("CORRUPT", `the blob to upload has ${stored.size} bytes and not the ${expected.size} that were announced`);
  }
  if (expected.digest !== undefined && expected.digest !== stored.digest) {
    throw new RegistryError("CORRUPT", `the blob to upload is ${stored.digest} and not ${expected.digest} as was announced`);
  }
  return stored;
}

interface Piece {
  /** Until the next piece is asked for, which takes their place. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly isLast: boolean;
}

/** The same bytes in pieces of equal length; only the last may be shorter. A source that is left early is closed. */
async function* piecesOf(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Piece, undefined> {
  const place = new Uint8Array(pieceBytes);
  let filled = 0;
  for await (const chunk of source) {
    for (let offset = 0; offset < chunk.byteLength;) {
      if (filled === pieceBytes) {
        yield { bytes: place, isLast: false };
        filled = 0;
      }
      const part = chunk.subarray(offset, offset + pieceBytes - filled);
      place.set(part, filled);
      filled += part.byteLength;
      offset += part.byteLength;
    }
  }
  yield { bytes: place.subarray(0, filled), isLast: true };
  return undefined;
}

async function* prepend<T>(first: T, others: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* others;
}
