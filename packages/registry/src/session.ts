/** A registry's API with everything that each request needs: authorisation, retries, and errors for bad answers. */
import type { Authenticator, Scope } from "./auth.ts";
import { failureOf } from "./failure.ts";
import type { Answer, Http, HttpRequest } from "./http.ts";
import { withRetries } from "./retry.ts";

export interface ApiRequest {
  readonly method: HttpRequest["method"];
  /** An absolute address, or a path below `/v2/`. */
  readonly to: URL | string;
  readonly scope: Scope;
  /** What is being tried, for the error: "read manifest latest of team/app". */
  readonly action: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal | undefined;
}

export interface Session {
  /**
   * Sends a request, again where the registry was away or busy, so it must be one that does no harm when it arrives twice.
   * The answer's status is below 400; its body is the caller's to read or discard.
   */
  send(request: ApiRequest): Promise<Answer>;
}

export function createSession(options: { readonly http: Http; readonly api: URL; readonly authenticator: Authenticator }): Session {
  const { http, api, authenticator } = options;

  function send(request: ApiRequest): Promise<Answer> {
    return withRetries(async () => {
      request.signal?.throwIfAborted();
      const answer = await authorised(request);
      if (answer.status >= 400) throw await failureOf(answer, request.action);
      return answer;
    }, request.signal);
  }

  async function authorised(request: ApiRequest): Promise<Answer> {
    const { method, to, headers = {}, body, scope, signal } = request;
    const url = typeof to === "string" ? new URL(to, api) : to;
    const isOurs = url.origin === api.origin;
    const authorization = isOurs ? await authenticator.authorization(scope, signal) : undefined;
    const exchange = { method, url, headers, body, signal };
    const answer = await http.exchange({ ...exchange, authorization });
    // Only the registry itself may ask for credentials, never a host that it sent us to.
    if (answer.status !== 401 || answer.url.origin !== api.origin) return answer;
    if (!authenticator.challenged(answer.headers.get("www-authenticate"), { scope, refused: authorization })) return answer;
    await answer.discard();
    return http.exchange({ ...exchange, authorization: await authenticator.authorization(scope, signal) });
  }

  return { send };
}
