/** Calls of functions: how they are asked for, carried, and how they end. */
import { z } from "zod";
import { ErrorInfo } from "./errors.ts";
import { FunctionName } from "./functions.ts";
import { Value } from "./values.ts";

/** Chosen by the caller, so that asking again when no answer came starts nothing twice. */
export const CallId = z.uuid({ version: "v7" });

/** The most calls in one request. */
export const CALLS_AT_ONCE = 1_000;

export const StartCallsInput = z.object({
  /** The name of an app, or the id of an ephemeral one. */
  app: z.string().min(1),
  function: FunctionName,
  /** Of a class. */
  method: FunctionName.optional(),
  /** An input is the value of `{"args": […], "kwargs": {…}}`. */
  calls: z
    .array(z.object({ id: CallId, input: Value }))
    .min(1)
    .max(CALLS_AT_ONCE),
  /** How long to wait for the first end. */
  waitMs: z.int().min(0).max(20_000).default(0),
  /** How long then to wait for the others; as long, where it is not said. */
  gatherMs: z.int().min(0).max(20_000).optional(),
  /** The same was asked before, and no answer came. */
  again: z.boolean().optional(),
});
export type StartCallsInput = z.input<typeof StartCallsInput>;

/** What a function threw, as it is where it was thrown. */
export const RemoteException = z.object({
  /** The name of its class, in Python with the module where that is not `builtins`. */
  type: z.string(),
  message: z.string(),
  /** The stack in the words of its language, without the frames of the harness. */
  stack: z.string(),
  /** The exception itself, pickled, where the function is in Python and it can be. */
  pickled: Value.optional(),
});
export type RemoteException = z.infer<typeof RemoteException>;

export const CallError = ErrorInfo.extend({ exception: RemoteException.optional() });
export type CallError = z.infer<typeof CallError>;

export const CallEnd = z.discriminatedUnion("state", [
  z.object({ state: z.literal("done"), result: Value }),
  z.object({ state: z.literal("failed"), error: CallError }),
  z.object({ state: z.literal("cancelled") }),
]);
export type CallEnd = z.infer<typeof CallEnd>;

export const EndedCall = z.object({ id: z.string(), end: CallEnd });
export type EndedCall = z.infer<typeof EndedCall>;

export const WaitForCallsInput = z.object({
  ids: z.array(CallId).min(1).max(CALLS_AT_ONCE),
  /** How long to wait for the first that ends. */
  waitMs: z.int().min(0).max(20_000).default(0),
  /** How long then to wait for others, unless all have ended: a question names every call, so fewer questions are cheaper. */
  gatherMs: z.int().min(0).max(1_000).default(0),
});
export type WaitForCallsInput = z.input<typeof WaitForCallsInput>;

export const Call = z.object({
  id: z.string(),
  /** The app's name. */
  app: z.string(),
  function: z.string(),
  method: z.string().optional(),
  /** Of the app. */
  version: z.int(),
  state: z.enum(["queued", "running", "done", "failed", "cancelled"]),
  /** How often it failed and is, or was, tried again. */
  retries: z.int(),
  createdAt: z.string(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  end: CallEnd.optional(),
});
export type Call = z.infer<typeof Call>;

/**
 * What is on the queue of a function version: a call, or several short ones that one container does in turn. It stays there until the ends
 * of all are recorded; when it is delivered again, those that have not ended were cut off or are to be tried again.
 */
export const CallMessage = z.object({
  method: z.string().optional(),
  calls: z.array(z.object({ id: z.string(), input: Value })).min(1),
});
export type CallMessage = z.infer<typeof CallMessage>;

/** Told to every runner: there is a message on the queue of a function version. */
export const CallsQueued = z.object({ function: z.string(), message: z.string() });
export type CallsQueued = z.infer<typeof CallsQueued>;

/** Told to every runner: these calls are not wanted any more. */
export const CallsCancelled = z.object({ calls: z.array(z.string()).min(1) });
export type CallsCancelled = z.infer<typeof CallsCancelled>;

/** Of calls that take longer than a moment. */
export const StartedCalls = z.object({
  runner: z.string(),
  calls: z.array(z.object({ id: z.string(), container: z.string() })).min(1),
});
export type StartedCalls = z.infer<typeof StartedCalls>;

export const FinishCallsInput = z.object({
  calls: z
    .array(
      z.object({
        id: z.string(),
        /** Which delivery of its message this is the outcome of, counted from 1. */
        delivery: z.int().min(1),
        /** When it began in its container, in milliseconds since 1970. */
        startedAt: z.number().optional(),
        /** How long it went on there, in milliseconds. */
        tookMs: z.number().optional(),
        end: z.discriminatedUnion("state", [
          z.object({ state: z.literal("done"), result: Value }),
          z.object({
            state: z.literal("failed"),
            error: CallError,
          }),
        ]),
      }),
    )
    .min(1),
});
export type FinishCallsInput = z.infer<typeof FinishCallsInput>;

/** Some of the calls of a function version that one message carries. */
export const CarriedCalls = z.object({ function: z.string(), message: z.string(), ids: z.array(z.string()).min(1) });
export type CarriedCalls = z.infer<typeof CarriedCalls>;

/** For each call in turn: done with, or to be tried again after so many milliseconds. */
export const FinishedCalls = z.array(z.object({ id: z.string(), retryAfterMs: z.int().optional() }));
export type FinishedCalls = z.infer<typeof FinishedCalls>;

/** Lines that a container wrote; in the stream of logs. */
export const LogBatch = z.object({
  /** Milliseconds since 1970. */
  at: z.number(),
  function: z.string(),
  /** The call that wrote them, where one did. */
  call: z.string().optional(),
  container: z.string(),
  stream: z.enum(["stdout", "stderr"]),
  lines: z.array(z.string()).min(1),
});
export type LogBatch = z.infer<typeof LogBatch>;

export const FollowLogsInput = z.object({
  /** An app by its name or id, or a call by its id. */
  of: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("app"), app: z.string().min(1) }),
    z.object({ kind: z.literal("call"), call: CallId }),
  ]),
  /** Goes on with what comes: those of a call until it has ended, those of an app until the client ends it. */
  follow: z.boolean().default(false),
  lastEventId: z.string().nullish(),
});
export type FollowLogsInput = z.input<typeof FollowLogsInput>;
