/** One HTTP exchange: its time limit, its redirects, and the body of its answer. */
import { RegistryError } from "./errors.ts";
import type { Timeouts } from "./types.ts";

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent with the first request, and dropped for good by a redirect to another origin. */
  readonly authorization?: string | undefined;
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer whose header has come. Its body is read once, or discarded. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Where it came from, after redirects. */
  readonly url: URL;
  /** The pieces of the body. Leaving the loop early closes the connection. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** The whole body. @throws {RegistryError} `CORRUPT` when it is longer than the limit, in bytes. */
  bytes(limit: number): Promise<Uint8Array<ArrayBuffer>>;
  discard(): Promise<void>;
}

/** As much of `fetch` as an exchange needs. */
export type Fetch = (url: URL, request: FetchRequest) => Promise<Response>;

export interface FetchRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | null;
  readonly redirect: "manual";
  readonly signal: AbortSignal;
}

/** Speaks HTTP and judges no status; fails with `UNREACHABLE` when no answer comes. */
export interface Http {
  exchange(request: HttpRequest): Promise<Answer>;
}

const redirectLimit = 5;

export function createHttp(options: { fetch: Fetch; timeouts: Timeouts }): Http {
  const { timeouts } = options;

  async function exchange(request: HttpRequest): Promise<Answer> {
    let { url, authorization } = request;
    for (let redirects = 0; redirects <= redirectLimit; redirects++) {
      const answer = await once({ ...request, url, authorization });
      const location = answer.headers.get("location");
      if (!isRedirect(answer.status, request.method) || location === null) return answer;
      await answer.discard();
      const next = resolveLocation(location, url);
      if (next.origin !== url.origin) authorization = undefined;
      url = next;
    }
    throw new RegistryError("CORRUPT", `${request.url.host} redirects more than ${redirectLimit} times`);
  }

  async function once(request: HttpRequest): Promise<Answer> {
    const { url, signal, authorization, body } = request;
    const limitMs = body === undefined ? timeouts.responseMs : timeouts.uploadMs;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${limitMs} ms`)), limitMs);
    try {
      const { method } = request;
      const headers = authorization === undefined ? request.headers : { ...request.headers, authorization };
      const until = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
      const response = await options.fetch(url, { method, headers, body: body ?? null, redirect: "manual", signal: until });
      return createAnswer(response, { url, signal, idleMs: timeouts.idleMs });
    } catch (error) {
      signal?.throwIfAborted();
      throw unreachable(url, error);
    } finally {
      clearTimeout(timer);
    }
  }

  return { exchange };
}

/** @throws {RegistryError} `CORRUPT` when the location is not an HTTP address. */
export function resolveLocation(location: string, base: URL): URL {
  const url = URL.parse(location, base.href);
  if (url === null || !(url.protocol === "https:" || url.protocol === "http:")) {
    throw new RegistryError("CORRUPT", `${base.host} sent a location that is not an HTTP address`);
  }
  return url;
}

function isRedirect(status: number, method: string): boolean {
  const keepsMethod = status === 307 || status === 308;
  return keepsMethod || ((method === "GET" || method === "HEAD") && (status === 301 || status === 302 || status === 303));
}

function createAnswer(response: Response, options: { url: URL; signal: AbortSignal | undefined; idleMs: number }): Answer {
  const { url, signal, idleMs } = options;

  async function* chunks(): AsyncGenerator<Uint8Array> {
    const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader();
    if (reader === undefined) return;
    try {
      for (;;) {
        const { done, value } = await withLimit(reader.read(), idleMs).catch((error: unknown) => {
          signal?.throwIfAborted();
          throw unreachable(url, error);
        });
        if (done) return;
        yield value;
      }
    } finally {
      // Rejects only when the body has failed already, which was thrown above.
      await reader.cancel().catch(() => undefined);
    }
  }

  async function bytes(limit: number): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of chunks()) {
      size += chunk.byteLength;
      if (size > limit) throw new RegistryError("CORRUPT", `${url.host} sent more than the ${limit} bytes that such an answer may have`);
      parts.push(chunk);
    }
    return new Uint8Array(Buffer.concat(parts));
  }

  async function discard(): Promise<void> {
    await response.body?.cancel();
  }

  return { status: response.status, headers: response.headers, url, chunks, bytes, discard };
}

async function withLimit<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`nothing came for ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(url: URL, cause: unknown): RegistryError {
  return new RegistryError("UNREACHABLE", `${url.host} cannot be reached: ${rootCause(cause)}`, { cause });
}

/** fetch says only "fetch failed"; what happened is in its cause. */
function rootCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return rootCause(error.cause);
  return error.message || error.name;
}
