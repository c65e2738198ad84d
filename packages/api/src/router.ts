/** The tRPC router: access and validation, and nothing else; the work is done by the services. */
import { initTRPC, tracked, TRPCError } from "@trpc/server";
import { z } from "zod";
import * as call from "./calls.ts";
import { badInput, type ErrorCode, type ErrorInfo, faultInfo, LaminaError } from "./errors.ts";
import * as fn from "./functions.ts";
import * as schema from "./services.ts";
import * as shell from "./shells.ts";

export interface RouterContext {
  readonly services: schema.Services;
  /** Null when the request carries no valid token. */
  readonly caller: schema.Caller | null;
  /** Logs what was thrown and is no LaminaError, and returns the id under which it is found: callers are told no more. */
  readonly reportFault?: (cause: unknown) => string;
}

const t = initTRPC.context<RouterContext>().create({
  isDev: false,
  // So that a client finds out that its connection is gone, though nobody told it.
  sse: { ping: { enabled: true, intervalMs: 3_000 }, client: { reconnectAfterInactivityMs: 10_000 } },
  errorFormatter: ({ shape, error, ctx }) => {
    const info = infoOf(error, ctx);
    return { ...shape, message: info.message, data: { ...shape.data, lamina: info } };
  },
});

const procedure = t.procedure.use(async ({ next }) => {
  const result = await next();
  if (!result.ok && result.error.cause instanceof LaminaError) throw transportError(result.error.cause);
  return result;
});
const client = procedure.use(({ ctx, next }) => next({ ctx: { caller: callerInRole(ctx, "client") } }));
const worker = procedure.use(({ ctx, next }) => next({ ctx: { caller: callerInRole(ctx, "worker") } }));

const byId = z.object({ id: z.string() });
const byApp = z.object({ app: z.string().min(1) });

export const router = t.router({
  platform: t.router({
    info: client.output(schema.PlatformInfo).query(({ ctx }) => ctx.services.platform.info(ctx.caller)),
    heartbeat: worker.input(schema.Worker).mutation(({ ctx, input }) => ctx.services.platform.heartbeat(ctx.caller, input)),
  }),
  images: t.router({
    plan: client
      .input(schema.PlanInput)
      .output(schema.Plan)
      .mutation(({ ctx, input }) => ctx.services.images.plan(ctx.caller, input)),
    list: client.output(z.array(schema.BuiltImage)).query(({ ctx }) => ctx.services.images.list(ctx.caller)),
  }),
  contexts: t.router({
    missingFiles: client
      .input(schema.MissingFilesInput)
      .mutation(({ ctx, input }) => ctx.services.contexts.missingFiles(ctx.caller, input)),
    commitTree: client.input(schema.CommitTreeInput).mutation(({ ctx, input }) => ctx.services.contexts.commitTree(ctx.caller, input)),
  }),
  builds: t.router({
    start: client.input(schema.StartBuildInput).mutation(({ ctx, input }) => ctx.services.builds.start(ctx.caller, input)),
    get: client
      .input(byId)
      .output(schema.Build)
      .query(({ ctx, input }) => ctx.services.builds.get(ctx.caller, input)),
    list: client
      .input(z.object({ limit: z.int().min(1).max(500).default(50) }))
      .output(z.array(schema.Build))
      .query(({ ctx, input }) => ctx.services.builds.list(ctx.caller, input)),
    cancel: client.input(byId).mutation(({ ctx, input }) => ctx.services.builds.cancel(ctx.caller, input)),
    follow: client.input(schema.FollowBuildInput).subscription(async function* ({ ctx, input, signal }) {
      for await (const { cursor, event } of ctx.services.builds.follow(ctx.caller, input, signalOf(signal))) yield tracked(cursor, event);
    }),
  }),
  secrets: t.router({
    set: client.input(schema.SetSecretInput).mutation(({ ctx, input }) => ctx.services.secrets.set(ctx.caller, input)),
    list: client.output(z.array(schema.SecretInfo)).query(({ ctx }) => ctx.services.secrets.list(ctx.caller)),
    remove: client.input(z.object({ name: z.string() })).mutation(({ ctx, input }) => ctx.services.secrets.remove(ctx.caller, input)),
  }),
  runs: t.router({
    start: client.input(schema.StartRunInput).mutation(({ ctx, input }) => ctx.services.runs.start(ctx.caller, input)),
    cancel: client.input(byId).mutation(({ ctx, input }) => ctx.services.runs.cancel(ctx.caller, input)),
    follow: client.input(schema.FollowInput).subscription(async function* ({ ctx, input, signal }) {
      for await (const { cursor, event } of ctx.services.runs.follow(ctx.caller, input, signalOf(signal))) yield tracked(cursor, event);
    }),
    claim: worker
      .input(schema.ClaimInput)
      .output(schema.ClaimedRun.nullable())
      .mutation(({ ctx, input }) => ctx.services.runs.claim(ctx.caller, input)),
    renew: worker.input(schema.LeaseProof).mutation(({ ctx, input }) => ctx.services.runs.renew(ctx.caller, input)),
    finish: worker.input(schema.FinishRunInput).mutation(({ ctx, input }) => ctx.services.runs.finish(ctx.caller, input)),
  }),
  attempts: t.router({
    claim: worker
      .input(schema.ClaimInput)
      .output(schema.ClaimedAttempt.nullable())
      .mutation(({ ctx, input }) => ctx.services.attempts.claim(ctx.caller, input)),
    renew: worker.input(schema.LeaseProof).mutation(({ ctx, input }) => ctx.services.attempts.renew(ctx.caller, input)),
    publish: worker.input(schema.PublishInput).mutation(({ ctx, input }) => ctx.services.attempts.publish(ctx.caller, input)),
    finish: worker.input(schema.FinishAttemptInput).mutation(({ ctx, input }) => ctx.services.attempts.finish(ctx.caller, input)),
    release: worker.input(schema.LeaseProof).mutation(({ ctx, input }) => ctx.services.attempts.release(ctx.caller, input)),
  }),
  apps: t.router({
    deploy: client
      .input(fn.DeployInput)
      .output(fn.Deployment)
      .mutation(({ ctx, input }) => ctx.services.apps.deploy(ctx.caller, input)),
    list: client.output(z.array(fn.AppInfo)).query(({ ctx }) => ctx.services.apps.list(ctx.caller)),
    get: client
      .input(byApp)
      .output(fn.AppInfo)
      .query(({ ctx, input }) => ctx.services.apps.get(ctx.caller, input)),
    stop: client.input(byApp).mutation(({ ctx, input }) => ctx.services.apps.stop(ctx.caller, input)),
    keep: client.input(byApp).mutation(({ ctx, input }) => ctx.services.apps.keep(ctx.caller, input)),
  }),
  calls: t.router({
    start: client.input(call.StartCallsInput).mutation(({ ctx, input }) => ctx.services.calls.start(ctx.caller, input)),
    /** A mutation, since the ids of many calls are too long for an address. */
    wait: client
      .input(call.WaitForCallsInput)
      .mutation(({ ctx, input, signal }) => ctx.services.calls.wait(ctx.caller, input, signalOf(signal))),
    get: client
      .input(byId)
      .output(call.Call)
      .query(({ ctx, input }) => ctx.services.calls.get(ctx.caller, input)),
    list: client
      .input(z.object({ app: z.string().optional(), limit: z.int().min(1).max(500).default(50) }))
      .output(z.array(call.Call))
      .query(({ ctx, input }) => ctx.services.calls.list(ctx.caller, input)),
    cancel: client
      .input(z.object({ ids: z.array(call.CallId).min(1).max(call.CALLS_AT_ONCE) }))
      .mutation(({ ctx, input }) => ctx.services.calls.cancel(ctx.caller, input)),
    logs: client.input(call.FollowLogsInput).subscription(async function* ({ ctx, input, signal }) {
      for await (const { cursor, event } of ctx.services.calls.logs(ctx.caller, input, signalOf(signal))) yield tracked(cursor, event);
    }),
    started: worker.input(call.StartedCalls).mutation(({ ctx, input }) => ctx.services.calls.started(ctx.caller, input)),
    carried: worker.input(call.CarriedCalls).mutation(({ ctx, input }) => ctx.services.calls.carried(ctx.caller, input)),
    sendApart: worker.input(call.CarriedCalls).mutation(({ ctx, input }) => ctx.services.calls.sendApart(ctx.caller, input)),
    finish: worker.input(call.FinishCallsInput).mutation(({ ctx, input }) => ctx.services.calls.finish(ctx.caller, input)),
  }),
  shells: t.router({
    open: client.input(shell.OpenShellInput).mutation(({ ctx, input }) => ctx.services.shells.open(ctx.caller, input)),
    write: client.input(shell.WriteShellInput).mutation(({ ctx, input }) => ctx.services.shells.write(ctx.caller, input)),
    resize: client.input(shell.ResizeShellInput).mutation(({ ctx, input }) => ctx.services.shells.resize(ctx.caller, input)),
    seen: client.input(shell.SeenOfShellInput).mutation(({ ctx, input }) => ctx.services.shells.seen(ctx.caller, input)),
    close: client.input(shell.ShellById).mutation(({ ctx, input }) => ctx.services.shells.close(ctx.caller, input)),
    follow: client.input(shell.FollowShellInput).subscription(async function* ({ ctx, input, signal }) {
      for await (const { cursor, event } of ctx.services.shells.follow(ctx.caller, input, signalOf(signal))) yield tracked(cursor, event);
    }),
  }),
  functions: t.router({
    list: worker
      .input(z.object({ pool: z.string() }))
      .output(z.array(fn.ServedFunction))
      .query(({ ctx, input }) => ctx.services.functions.list(ctx.caller, input)),
    secrets: worker.input(byId).mutation(({ ctx, input }) => ctx.services.functions.secrets(ctx.caller, input)),
  }),
});
export type Router = typeof router;

function callerInRole(ctx: RouterContext, role: schema.Caller["role"]): schema.Caller {
  if (ctx.caller === null) {
    throw transportError(new LaminaError({ code: "UNAUTHORIZED", message: "The request carries no valid token. Check LAMINA_TOKEN." }));
  }
  if (ctx.caller.role !== role) {
    throw transportError(new LaminaError({ code: "FORBIDDEN", message: `This needs the token of a ${role}.` }));
  }
  return ctx.caller;
}

/** tRPC leaves the signal out where no request stands behind a call, as in a direct call. */
function signalOf(signal: AbortSignal | undefined): AbortSignal {
  return signal ?? new AbortController().signal;
}

type TransportCode = ConstructorParameters<typeof TRPCError>[0]["code"];

const TRANSPORT_CODES: Partial<Record<ErrorCode, TransportCode>> = {
  INVALID_INPUT: "BAD_REQUEST",
  UNKNOWN_BUILDER_VERSION: "BAD_REQUEST",
  BASE_NOT_FOUND: "UNPROCESSABLE_CONTENT",
  BASE_UNAUTHORIZED: "UNPROCESSABLE_CONTENT",
  SECRET_MISSING: "UNPROCESSABLE_CONTENT",
  POOL_UNAVAILABLE: "UNPROCESSABLE_CONTENT",
  CONTEXT_CORRUPT: "UNPROCESSABLE_CONTENT",
  CONTEXT_MISSING: "PRECONDITION_FAILED",
  NOT_FOUND: "NOT_FOUND",
  UNAUTHORIZED: "UNAUTHORIZED",
  FORBIDDEN: "FORBIDDEN",
  LEASE_LOST: "CONFLICT",
};

function transportError(cause: LaminaError): TRPCError {
  return new TRPCError({ code: TRANSPORT_CODES[cause.code] ?? "INTERNAL_SERVER_ERROR", message: cause.message, cause });
}

function infoOf(error: TRPCError, ctx: RouterContext | undefined): ErrorInfo {
  const { cause, code, message } = error;
  if (cause instanceof LaminaError) return cause.info;
  if (code === "BAD_REQUEST") return badInput("invalid-request", cause instanceof z.ZodError ? z.prettifyError(cause) : message).info;
  if (code === "NOT_FOUND") return { code: "NOT_FOUND", message };
  if (code !== "INTERNAL_SERVER_ERROR") return { code: "INTERNAL", message };
  return faultInfo(ctx?.reportFault?.(cause ?? error));
}
