/** The client of a platform: one service a noun, as the router has them; every failure is a LaminaError. */
import {
  type BuildEvent,
  type DeployInput,
  type FollowBuildInput,
  type FollowLogsInput,
  type LogBatch,
  type OpenShellInput,
  type PlanInput,
  type Router,
  RPC_PATH,
  type RunEvent,
  type SetSecretInput,
  type ShellEvent,
  type StartBuildInput,
  type StartCallsInput,
  type TerminalSize,
  type WaitForCallsInput,
  type WriteShellInput,
} from "@lamina/api";
import { type CommitTreeInput, EndedCall, hadNoAnswer, type MissingFilesInput, type StartRunInput } from "@lamina/api";
import { createTRPCClient, httpSubscriptionLink, retryLink, splitLink, TRPCClientError } from "@trpc/client";
import { EventSource } from "eventsource";
import { setTimeout as delay } from "node:timers/promises";
import { v7 as newId } from "uuid";
import { z } from "zod";
import { callLine } from "./call-line.ts";
import { clientError, unreachable } from "./errors.ts";
import { type Feed, follow, type FollowOptions } from "./follow.ts";
import { findPlatform, type PlatformAddress } from "./platform.ts";
import { requestLink, requestsTo } from "./requests.ts";
import type { Pack } from "../upload/pack.ts";
import { sendPack } from "./send-pack.ts";
import { getValue, putValue } from "./transfer-value.ts";
import { explainMismatch } from "./version-mismatch.ts";

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface BuildFeedOptions extends FollowOptions {
  /** Where the feed ends instead of with the end of the build, as in {@link FollowBuildInput}. */
  readonly until?: FollowBuildInput["until"];
}

export type Client = ReturnType<typeof createClient>;

/**
 * A client of the given platform, else of the one that LAMINA_URL and LAMINA_TOKEN name, else of the embedded one.
 * Nothing is sent yet. @throws UNREACHABLE when no platform is named and none runs here
 */
export async function connect(address?: PlatformAddress): Promise<Client> {
  return createClient(address ?? (await findPlatform()));
}

function createClient({ url, token }: PlatformAddress) {
  const authorization = `Bearer ${token}`;
  const endpoint = new URL(RPC_PATH, url);
  const send = requestsTo({ url, token });
  const line = callLine({ url, token });
  let hasAnswered = false;
  /** A platform that was there is given time to come back; one that never answered is not waited for. Every call may come twice. */
  const isTriedAgain = (
    error: { readonly shape: unknown },
    { attempts, signal }: { attempts: number; signal: CallOptions["signal"] | null },
  ) => hasAnswered && attempts < RETRIES && hadNoAnswer(error) && signal?.aborted !== true;
  const { platform, images, contexts, builds, secrets, runs, apps, calls, shells } = createTRPCClient<Router>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: httpSubscriptionLink({
          url: endpoint.href,
          EventSource,
          eventSourceOptions: { fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, authorization } }) },
        }),
        false: [
          retryLink({ retry: ({ op: { signal }, error, attempts }) => isTriedAgain(error, { attempts, signal }), retryDelayMs }),
          requestLink(send),
        ],
      }),
    ],
  });

  const answer = async <T>(call: Promise<T>): Promise<T> => {
    try {
      const value = await call;
      hasAnswered = true;
      return value;
    } catch (error) {
      throw await explainMismatch(clientError(error, url), () => platform.info.query());
    }
  };
  /** Past tRPC's client, whose way is longer than all that it takes to start a call. */
  const startCalls = async (input: StartCallsInput, { signal }: CallOptions = {}): Promise<EndedCall[]> => {
    for (let attempts = 1; ; attempts += 1) {
      const again = attempts > 1 ? { again: true } : {};
      try {
        const overLine = attempts === 1 ? line.start(input, signal) : undefined;
        if (overLine !== undefined) return await overLine;
        const request = { type: "mutation", path: "calls.start", input: { ...input, ...again }, signal } as const;
        const ended = EndedCalls.parse(await send(request));
        line.open();
        return ended;
      } catch (error) {
        if (!(error instanceof TRPCClientError) || !isTriedAgain(error, { attempts, signal })) throw error;
        await delay(retryDelayMs(attempts));
      }
    }
  };
  /** A platform that is stopped takes the connection, and never answers. */
  const info = async ({ signal }: CallOptions = {}) => {
    const late = AbortSignal.timeout(INFO_MS);
    try {
      return await answer(platform.info.query(undefined, { signal: signal === undefined ? late : AbortSignal.any([signal, late]) }));
    } catch (error) {
      throw late.aborted ? unreachable(url, new Error(`no answer within ${INFO_MS / 1000} seconds`)) : error;
    }
  };
  const followFeed = <Event extends BuildEvent | RunEvent | ShellEvent>(
    subscribe: Feed<Event>["subscribe"],
    options: BuildFeedOptions = {},
  ) =>
    follow<Event>({ url, subscribe, endsNow: options.until === "now", probe: info, isLast: ({ type }) => LAST_EVENTS.has(type) }, options);

  return {
    url,
    platform: { info },
    images: {
      plan: (input: PlanInput, options?: CallOptions) => answer(images.plan.mutate(input, options)),
      list: (options?: CallOptions) => answer(images.list.query(undefined, options)),
    },
    contexts: {
      missingFiles: (input: MissingFilesInput, options?: CallOptions) => answer(contexts.missingFiles.mutate(input, options)),
      sendPack: (pack: Pack, options?: CallOptions) => sendPack(pack, { url, authorization, ...options }),
      commitTree: (input: CommitTreeInput, options?: CallOptions) => answer(contexts.commitTree.mutate(input, options)),
    },
    builds: {
      start: (input: StartBuildInput, options?: CallOptions) => answer(builds.start.mutate({ id: newId(), ...input }, options)),
      get: (id: string, options?: CallOptions) => answer(builds.get.query({ id }, options)),
      list: (limit: number, options?: CallOptions) => answer(builds.list.query({ limit }, options)),
      cancel: (id: string, options?: CallOptions) => answer(builds.cancel.mutate({ id }, options)),
      /** The events of a build, each once, up to its last; goes on where it was after the platform was away. */
      follow: (id: string, options?: BuildFeedOptions) =>
        followFeed<BuildEvent>(
          (after, observer) => builds.follow.subscribe({ id, lastEventId: after, until: options?.until }, observer),
          options,
        ),
    },
    secrets: {
      set: (input: SetSecretInput, options?: CallOptions) => answer(secrets.set.mutate(input, options)),
      list: (options?: CallOptions) => answer(secrets.list.query(undefined, options)),
      remove: (name: string, options?: CallOptions) => answer(secrets.remove.mutate({ name }, options)),
    },
    apps: {
      deploy: (input: DeployInput, options?: CallOptions) => answer(apps.deploy.mutate(input, options)),
      list: (options?: CallOptions) => answer(apps.list.query(undefined, options)),
      get: (app: string, options?: CallOptions) => answer(apps.get.query({ app }, options)),
      stop: (app: string, options?: CallOptions) => answer(apps.stop.mutate({ app }, options)),
      keep: (app: string, options?: CallOptions) => answer(apps.keep.mutate({ app }, options)),
    },
    calls: {
      start: (input: StartCallsInput, options?: CallOptions) => answer(startCalls(input, options)),
      wait: (input: WaitForCallsInput, options?: CallOptions) => answer(calls.wait.mutate(input, options)),
      get: (id: string, options?: CallOptions) => answer(calls.get.query({ id }, options)),
      list: (input: { readonly app?: string | undefined; readonly limit: number }, options?: CallOptions) =>
        answer(calls.list.query(input, options)),
      cancel: (ids: readonly string[], options?: CallOptions) => answer(calls.cancel.mutate({ ids: [...ids] }, options)),
      /** What an app or a call wrote, each line once; as far as it is there, or going on with what comes. */
      logs: (input: Omit<FollowLogsInput, "lastEventId">, options: FollowOptions = {}) =>
        follow<LogBatch>(
          {
            url,
            subscribe: (after, observer) => calls.logs.subscribe({ ...input, lastEventId: after }, observer),
            endsNow: input.follow !== true,
            probe: info,
            isLast: () => false,
          },
          options,
        ),
    },
    values: {
      /** Keeps text in the object store, for as long as values of calls are kept. */
      put: (text: string, options?: CallOptions) => putValue(text, { url, authorization, ...options }),
      get: (object: string, options?: CallOptions) => getValue(object, { url, authorization, ...options }),
    },
    runs: {
      start: (input: StartRunInput, options?: CallOptions) => answer(runs.start.mutate({ id: newId(), ...input }, options)),
      cancel: (id: string, options?: CallOptions) => answer(runs.cancel.mutate({ id }, options)),
      /** The events of a run, as {@link Client} gives those of a build. */
      follow: (id: string, options?: FollowOptions) =>
        followFeed<RunEvent>((after, observer) => runs.follow.subscribe({ id, lastEventId: after }, observer), options),
    },
    shells: {
      /** Resolves to its id when a runner has taken it. It goes on as long as somebody follows it. */
      open: async (input: Omit<OpenShellInput, "id">, options?: CallOptions): Promise<string> => {
        const id = newId();
        await answer(shells.open.mutate({ id, ...input }, options));
        return id;
      },
      /** Resolves to whether it was taken; else there is no room yet, and it is to be written again. */
      write: async (input: WriteShellInput, options?: CallOptions): Promise<boolean> =>
        (await answer(shells.write.mutate(input, options))).taken,
      resize: (id: string, size: TerminalSize, options?: CallOptions) => answer(shells.resize.mutate({ id, ...size }, options)),
      /** Says up to which event, by its cursor, all has come: when too much has not, the shell waits. */
      seen: (id: string, cursor: string, options?: CallOptions) => answer(shells.seen.mutate({ id, event: Number(cursor) }, options)),
      close: (id: string, options?: CallOptions) => answer(shells.close.mutate({ id }, options)),
      /** The events of a shell, as {@link Client} gives those of a build. */
      follow: (id: string, options?: FollowOptions) =>
        followFeed<ShellEvent>((after, observer) => shells.follow.subscribe({ id, lastEventId: after }, observer), options),
    },
  };
}

const EndedCalls = z.array(EndedCall);

function retryDelayMs(attempt: number): number {
  return Math.min(100 * 2 ** attempt, 1_000);
}

const INFO_MS = 10_000;
/** With the delays above, about half a minute. */
const RETRIES = 32;
/** The events that end a feed. */
const LAST_EVENTS: ReadonlySet<string> = new Set([
  "done",
  "failed",
  "cancelled",
  "run-exited",
  "run-failed",
  "shell-exited",
  "shell-failed",
]);
