/** Reading a blob: verified, and taken up again where a connection broke. */
import { Readable } from "node:stream";
import { createDigester } from "./digest.ts";
import { isRegistryError, RegistryError } from "./errors.ts";
import type { Answer } from "./http.ts";

/** How often one download may be taken up again. */
const breakLimit = 3;

/** Asks for a blob from an offset on, in bytes. */
export type OpenBlob = (offset: number, signal: AbortSignal) => Promise<Answer>;

export async function downloadBlob(open: OpenBlob, options: { digest: string; signal: AbortSignal | undefined }): Promise<Readable> {
  const closed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, closed.signal]) : closed.signal;
  const first = await open(0, signal);
  const stream = Readable.from(verified(first, { open, digest: options.digest, signal }), { objectMode: false });
  // A stream that is destroyed before it was read never starts the generator, which could not close the connection then.
  return stream.once("close", () => closed.abort());
}

interface Source {
  readonly open: OpenBlob;
  readonly digest: string;
  readonly signal: AbortSignal;
}

async function* verified(first: Answer, source: Source): AsyncGenerator<Uint8Array> {
  const digester = createDigester();
  for await (const chunk of continued(first, source)) {
    digester.update(chunk);
    yield chunk;
  }
  const digest = digester.digest();
  if (digest !== source.digest) throw new RegistryError("CORRUPT", `${first.url.host} sent ${digest} where ${source.digest} was asked for`);
}

/** The chunks of a blob over as many answers as it takes. */
async function* continued(first: Answer, { open, signal }: Source): AsyncGenerator<Uint8Array> {
  let chunks = first.chunks();
  let offset = 0;
  let breaks = 0;

  async function next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await chunks.next();
    } catch (error) {
      if (!isRegistryError(error, "UNREACHABLE") || ++breaks > breakLimit) throw error;
      chunks = chunksFrom(await open(offset, signal), offset);
      return next();
    }
  }

  try {
    for (let result = await next(); !result.done; result = await next()) {
      offset += result.value.byteLength;
      yield result.value;
    }
  } finally {
    await chunks.return(undefined);
  }
}

/** A server may answer a range request with the whole blob. */
async function* chunksFrom(answer: Answer, offset: number): AsyncGenerator<Uint8Array> {
  let toSkip = answer.status === 206 ? 0 : offset;
  for await (const chunk of answer.chunks()) {
    const skipped = Math.min(toSkip, chunk.byteLength);
    toSkip -= skipped;
    if (skipped < chunk.byteLength) yield chunk.subarray(skipped);
  }
}
