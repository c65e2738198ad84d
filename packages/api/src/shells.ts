/**
 * Shells: a command in a container of its own, with whoever asked at its input and output. A shell is nowhere but in its runner: what
 * is typed and shown is kept by nobody, and it ends when nobody follows it.
 */
import { z } from "zod";
import { ErrorInfo } from "./errors.ts";
import { FunctionName, ServedFunction } from "./functions.ts";
import { ImageLocation } from "./images.ts";

export const TerminalSize = z.object({ columns: z.int().min(1).max(10_000), rows: z.int().min(1).max(10_000) });
export type TerminalSize = z.infer<typeof TerminalSize>;

const ShellId = z.uuid({ version: "v7" });
const Argument = z.string().regex(/^[^\0]*$/);

export const ShellCommand = z.discriminatedUnion("kind", [
  /** A shell itself: bash where the image has it, else sh. */
  z.object({ kind: z.literal("shell") }),
  /** A line for that shell. */
  z.object({ kind: z.literal("line"), line: Argument.min(1) }),
  z.object({ kind: z.literal("program"), arguments: z.array(Argument).min(1) }),
]);
export type ShellCommand = z.infer<typeof ShellCommand>;

export const ShellTerminal = TerminalSize.extend({
  /** The value of TERM. */
  type: z.string().regex(/^[\w.+-]{1,64}$/),
});
export type ShellTerminal = z.infer<typeof ShellTerminal>;

export const OpenShellInput = z.object({
  /** Chosen by who asks, so that asking again when no answer came opens nothing twice. */
  id: ShellId,
  of: z.discriminatedUnion("kind", [
    /** An image id, or a reference with a digest in the workspace's repository. */
    z.object({ kind: z.literal("image"), image: z.string().min(1) }),
    /** The name of an app, or the id of an ephemeral one, and a function of it. */
    z.object({ kind: z.literal("function"), app: z.string().min(1), function: FunctionName }),
  ]),
  command: ShellCommand,
  /** Without it, input and output are pipes. */
  terminal: ShellTerminal.optional(),
});
export type OpenShellInput = z.infer<typeof OpenShellInput>;

export const WriteShellInput = z.object({
  id: ShellId,
  /** Counted from 1. One that comes twice is taken once. */
  number: z.int().min(1),
  /** At most {@link INPUT_BYTES}. */
  data: z.base64(),
  /** Nothing comes after it. */
  isEnd: z.boolean(),
});
export type WriteShellInput = z.infer<typeof WriteShellInput>;

/** The most bytes of input at once. */
export const INPUT_BYTES = 64 * 1024;

/** What was written is taken, or there is no room for it yet: it is to be sent again. */
export const WrittenToShell = z.object({ taken: z.boolean() });
export type WrittenToShell = z.infer<typeof WrittenToShell>;

export const ResizeShellInput = TerminalSize.extend({ id: ShellId });
export type ResizeShellInput = z.infer<typeof ResizeShellInput>;

/** Says up to which event everything has come; what is beyond that by {@link UNSEEN_BYTES} makes the command wait. */
export const SeenOfShellInput = z.object({ id: ShellId, event: z.int().min(1) });
export type SeenOfShellInput = z.infer<typeof SeenOfShellInput>;

/** So much output may be on its way. */
export const UNSEEN_BYTES = 256 * 1024;
/** A shell that nobody follows ends after so long. */
export const UNFOLLOWED_SECONDS = 15;

export const ShellById = z.object({ id: ShellId });
export const FollowShellInput = ShellById.extend({
  /** The number of the last event that was seen; tRPC clients send it by themselves when they reconnect. */
  lastEventId: z.string().nullish(),
});
export type FollowShellInput = z.infer<typeof FollowShellInput>;

/** Counted from 1, without gaps. */
export const ShellEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("shell-preparing"), what: z.string() }),
  z.object({ type: z.literal("shell-started"), runner: z.string() }),
  /** Bytes of output, in base64. That of a terminal is all stdout. */
  z.object({ type: z.literal("shell-output"), stream: z.enum(["stdout", "stderr"]), data: z.base64() }),
  z.object({
    type: z.literal("shell-exited"),
    exitCode: z.int(),
    /** The memory that its container may have, where something in it was ended for want of more. */
    outOfMemoryMib: z.int().optional(),
  }),
  z.object({ type: z.literal("shell-failed"), error: ErrorInfo }),
]);
export type ShellEvent = z.infer<typeof ShellEvent>;

/** One event, on the subject of its shell. */
export const NumberedShellEvent = z.object({ number: z.int().min(1), event: ShellEvent });
export type NumberedShellEvent = z.infer<typeof NumberedShellEvent>;

/** Asks the runners of a pool: one of them takes it, and from then on answers on the shell's own subject. */
export const ShellRequest = z.object({
  id: ShellId,
  workspace: z.string(),
  of: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("image"), image: ImageLocation }),
    /** As its containers are: its code, its environment, its GPUs and limits. */
    z.object({ kind: z.literal("function"), function: ServedFunction }),
  ]),
  command: ShellCommand,
  terminal: ShellTerminal.optional(),
});
export type ShellRequest = z.infer<typeof ShellRequest>;

/** What is asked of the runner that has a shell. */
export const ShellMessage = z.discriminatedUnion("type", [
  /** Somebody follows, and has what came up to that event; what there is beyond it is sent again. */
  z.object({ type: z.literal("follow"), after: z.int().min(0) }),
  WriteShellInput.omit({ id: true }).extend({ type: z.literal("write") }),
  TerminalSize.extend({ type: z.literal("resize") }),
  SeenOfShellInput.omit({ id: true }).extend({ type: z.literal("seen") }),
  z.object({ type: z.literal("close") }),
]);
export type ShellMessage = z.infer<typeof ShellMessage>;

/** The answer to a request and to each message. */
export const ShellAnswer = WrittenToShell;
export type ShellAnswer = z.infer<typeof ShellAnswer>;
