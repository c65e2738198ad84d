/** What a worker asks of the control plane, over tRPC. */
import { fromClientError, hadNoAnswer, type Router, RPC_PATH, type Services } from "@lamina/api";
import { createTRPCClient, httpLink, retryLink } from "@trpc/client";
import { post } from "./post.ts";

export interface ControlPlaneOptions {
  /** Such as `http://127.0.0.1:7420`. */
  readonly url: string;
  readonly token: string;
}

/** The services without the caller, which the token tells. */
type Remote<Service> = {
  readonly [Name in keyof Service]: Service[Name] extends (caller: never, input: infer Input) => Promise<infer Output>
    ? (input: Input, options?: { signal?: AbortSignal }) => Promise<Output>
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
  const answer = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      throw fromClientError(error, (reason) => unreachable(url, reason));
    }
  };
  return {
    platform: { heartbeat: (input, options) => answer(platform.heartbeat.mutate(input, options)) },
    attempts: {
      claim: (input, options) => answer(attempts.claim.mutate(input, options)),
      renew: (input, options) => answer(attempts.renew.mutate(input, options)),
      publish: (input, options) => answer(attempts.publish.mutate(input, options)),
      finish: (input, options) => answer(attempts.finish.mutate(input, options)),
      release: (input, options) => answer(attempts.release.mutate(input, options)),
    },
    runs: {
      claim: (input, options) => answer(runs.claim.mutate(input, options)),
      renew: (input, options) => answer(runs.renew.mutate(input, options)),
      finish: (input, options) => answer(runs.finish.mutate(input, options)),
    },
    functions: {
      list: (input, options) => answer(functions.list.query(input, options)),
      secrets: (input, options) => answer(functions.secrets.mutate(input, options)),
    },
    calls: {
      started: (input, options) => answer(calls.started.mutate(input, options)),
      carried: (input, options) => answer(calls.carried.mutate(input, options)),
      sendApart: (input, options) => answer(calls.sendApart.mutate(input, options)),
      finish: (input, options) => answer(calls.finish.mutate(input, options)),
    },
  };
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
