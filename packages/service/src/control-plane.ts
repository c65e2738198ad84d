/** What a worker asks of the control plane, over tRPC. */
import { fromClientError, hadNoAnswer, type Router, RPC_PATH, type Services } from "@lamina/api";
import { createTRPCClient, httpLink, retryLink } from "@trpc/client";
import { post } from "./post.ts";

export interface ControlPlaneOptions {
  /** Such as `http://127.0.0.1:7420`. */
  readonly url: string;
  readonly token: string;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

/** The services without the caller, which the token tells. */
type Remote<Service> = {
  readonly [Name in keyof Service]: Service[Name] extends (caller: never, input: infer Input) => Promise<infer Output>
    ? (input: Input, options?: RequestOptions) => Promise<Output>
    : never;
};

/** The part of the services that is for workers. */
export interface ControlPlane {
  readonly platform: Remote<Pick<Services["platform"], "heartbeat">>;
  readonly attempts: Remote<Services["attempts"]>;
  readonly runs: Remote<Pick<Services["runs"], "claim" | "renew" | "finish">>;
  readonly functions: Remote<Services["functions"]>;
  readonly calls: Remote<Pick<Services["calls"], "started" | "carried" | "sendApart" | "finish">>;
}

/**
 * A client that throws LaminaError: what the control plane answered, or UNREACHABLE. Calls that got
 * no answer are made again for half a minute, so that a restart of the control plane goes unnoticed;
 * each of these calls may be made twice, since the lease's token decides what it does.
 */
export function controlPlane({ url, token }: ControlPlaneOptions): ControlPlane {
  const { platform, attempts, runs, functions, calls } = createTRPCClient<Router>({
    links: [
      retryLink({
        retry: ({ op, error, attempts: made }) => made < RETRIES && hadNoAnswer(error) && op.signal?.aborted !== true,
        retryDelayMs: (made) => Math.min(100 * 2 ** made, 2_000),
      }),
      httpLink({ url: new URL(RPC_PATH, url), fetch: inTime(token) }),
    ],
  });
  const answer = async <T>(ask: (options: RequestOptions) => Promise<T>, { signal }: RequestOptions = {}): Promise<T> => {
    using own = forOneRequest(signal);
    try {
      return await ask({ signal: own.signal });
    } catch (error) {
      throw fromClientError(error, (reason) => unreachable(url, reason));
    }
  };
  return {
    platform: { heartbeat: (input, options) => answer((own) => platform.heartbeat.mutate(input, own), options) },
    attempts: {
      claim: (input, options) => answer((own) => attempts.claim.mutate(input, own), options),
      renew: (input, options) => answer((own) => attempts.renew.mutate(input, own), options),
      publish: (input, options) => answer((own) => attempts.publish.mutate(input, own), options),
      finish: (input, options) => answer((own) => attempts.finish.mutate(input, own), options),
      release: (input, options) => answer((own) => attempts.release.mutate(input, own), options),
    },
    runs: {
      claim: (input, options) => answer((own) => runs.claim.mutate(input, own), options),
      renew: (input, options) => answer((own) => runs.renew.mutate(input, own), options),
      finish: (input, options) => answer((own) => runs.finish.mutate(input, own), options),
    },
    functions: {
      list: (input, options) => answer((own) => functions.list.query(input, own), options),
      secrets: (input, options) => answer((own) => functions.secrets.mutate(input, own), options),
    },
    calls: {
      started: (input, options) => answer((own) => calls.started.mutate(input, own), options),
      carried: (input, options) => answer((own) => calls.carried.mutate(input, own), options),
      sendApart: (input, options) => answer((own) => calls.sendApart.mutate(input, own), options),
      finish: (input, options) => answer((own) => calls.finish.mutate(input, own), options),
    },
  };
}

/** A signal that ends with its request: tRPC never stops listening to the one it is given, which may be that of the whole process. */
function forOneRequest(signal: AbortSignal | undefined): Disposable & { readonly signal: AbortSignal } {
  const own = new AbortController();
  const abort = (): void => own.abort(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted === true) abort();
  return { signal: own.signal, [Symbol.dispose]: () => signal?.removeEventListener("abort", abort) };
}

/** About half a minute with the delays above. */
const RETRIES = 18;
/** Each of these calls takes milliseconds; a control plane that is stopped, or behind a dead connection, does not answer at all. */
const ANSWER_MS = 20_000;

/** Calls carry JSON, and no headers but these. */
function inTime(token: string): NonNullable<Parameters<typeof httpLink>[0]["fetch"]> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return (url, { method, body, signal } = {}) => {
    const signals = [signal, AbortSignal.timeout(ANSWER_MS)].filter((one) => one instanceof AbortSignal);
    return post(String(url), {
      method,
      headers,
      body: typeof body === "string" ? body : undefined,
      signal: AbortSignal.any(signals),
    });
  };
}

function unreachable(url: string, reason: string): string {
  return `The control plane at ${url} cannot be reached: ${reason}. Check LAMINA_URL, and that it runs.`;
}
