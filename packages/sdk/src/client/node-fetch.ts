/** As much of `fetch` as calls need, over Node's own client. */
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { urlToHttpOptions } from "node:url";

export interface NodeFetchInit {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** A stream is read no faster than it is sent; what keeps it from being read breaks the request off. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | null | undefined;
}

export interface NodeFetchResponse {
  /** Whether the status is a good one. */
  readonly ok: boolean;
  readonly status: number;
  json(): Promise<unknown>;
  text(): Promise<string>;
}

/** Where a request goes, read once for many. */
export type Place = RequestOptions;

export function placeOf(url: URL): Place {
  return urlToHttpOptions(url);
}

/**
 * Sends a request and reads the answer. Node's `fetch` takes some 40 ms to load, which is a third of a command that finds
 * that nothing changed. Redirects are not followed.
 */
export async function nodeFetch(place: Place, init: NodeFetchInit = {}): Promise<NodeFetchResponse> {
  const response = await send(place, init);
  const body = await text(response);
  const status = response.statusCode ?? 0;
  return { ok: status >= 200 && status < 300, status, json: async (): Promise<unknown> => JSON.parse(body), text: async () => body };
}

function send(place: Place, { method = "GET", headers = {}, body = "", signal }: NodeFetchInit): Promise<IncomingMessage> {
  const isWhole = typeof body === "string" || body instanceof Uint8Array;
  const length = method === "GET" || !isWhole ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const request = requesterOf(place)({ ...place, method, headers: { ...headers, ...length }, ...(signal && { signal }) })
      .on("response", resolve)
      .on("error", reject);
    if (isWhole) request.end(body);
    // An answer that comes before all was sent counts, though the rest is sent to nobody.
    else pipeline(body, request).catch(reject);
  });
}

type Requester = (options: RequestOptions) => ClientRequest;

/** Not imported, since that looks at all that the module exports, and loads what `fetch` stands on for some of it. */
function requesterOf({ protocol }: Place): Requester {
  return protocol === "https:" ? process.getBuiltinModule("node:https").request : process.getBuiltinModule("node:http").request;
}
