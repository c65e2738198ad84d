/** Requests with a body over Node's own client: `fetch` makes a copy of the body each time, which stays in memory for long. */
import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import type { Fetch, FetchRequest } from "./http.ts";

/** `fetch` for what has no body. */
export const fetchOrSend: Fetch = (url, request) =>
  request.body === null ? fetch(url, request) : sendBody(url, { ...request, body: request.body });

type BodyRequest = FetchRequest & { readonly body: Uint8Array<ArrayBuffer> };

/** Redirects are not followed. The answer is read up to {@link ANSWER_BYTES}; registries answer to what is sent in few words. */
async function sendBody(url: URL, { method, headers, body, signal }: BodyRequest): Promise<Response> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { method, headers: { ...headers, "content-length": String(body.byteLength) }, signal })
      .on("response", resolve)
      .on("error", reject)
      .end(body);
  });
  const { statusCode: status = 0, headersDistinct } = answer;
  const text = await beginningOf(answer);
  const fields = Object.entries(headersDistinct).flatMap(([name, values = []]) => values.map((value): [string, string] => [name, value]));
  return new Response(WITHOUT_BODY.has(status) ? null : text, { status, headers: fields });
}

const ANSWER_BYTES = 1024 * 1024;
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

async function beginningOf(answer: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer) {
    if (!(part instanceof Uint8Array)) throw new TypeError("an answer gives bytes");
    parts.push(part);
    size += part.byteLength;
    if (size >= ANSWER_BYTES) break;
  }
  return new Uint8Array(Buffer.concat(parts));
}
