/**
 * Errors that cross a process boundary: a closed list of codes, one class, and converters from
 * anything that was thrown. A code is stable; a message is for people.
 */
import { z } from "zod";
import { ErrorReason } from "./reasons.ts";

/** Every code, with the exit code that the command line gives for it. */
const CODES = {
  /** The definition, a file that it names, or an argument cannot be right. Nothing was started. */
  INVALID_INPUT: 2,
  UNKNOWN_BUILDER_VERSION: 2,
  /** The base cannot be had: no such tag, or no such Python version. */
  BASE_NOT_FOUND: 2,
  /** The registry of the base refuses it: credentials are missing or wrong, or do not allow it. */
  BASE_UNAUTHORIZED: 2,
  /** A secret is used that has no value. */
  SECRET_MISSING: 2,
  NOT_FOUND: 2,
  /** No pool of builders or runners fits what was asked for. */
  POOL_UNAVAILABLE: 2,
  UNAUTHORIZED: 3,
  FORBIDDEN: 3,
  /** A local tree was not uploaded, or not whole. */
  CONTEXT_MISSING: 3,
  CONTEXT_CORRUPT: 3,
  /** The image to start from is not in its registry any more. */
  PARENT_MISSING: 3,
  /** A step of a layer ended with a status other than zero. */
  STEP_FAILED: 1,
  /** The builder itself failed at a layer: BuildKit, the disk, the registry. */
  BUILD_FAILED: 1,
  /** Several builders in turn were lost while they made the same layers. */
  ATTEMPT_LOST: 1,
  RUN_FAILED: 1,
  /** A function threw. */
  CALL_FAILED: 1,
  CALL_TIMED_OUT: 1,
  /** Its container had more memory than its function may have. */
  CALL_OUT_OF_MEMORY: 1,
  /** The process of its function ended in the middle of it, or was ended. */
  CALL_CRASHED: 1,
  /** Several runners in turn were lost in the middle of it. */
  CALL_LOST: 1,
  /** The function cannot be set up: its code cannot be imported, or its container cannot be started. */
  FUNCTION_BROKEN: 1,
  /** An image has no shell, and one was asked for. */
  SHELL_MISSING: 2,
  /** What ran a shell was lost in the middle of it. */
  SHELL_LOST: 1,
  /** A value of a call cannot be written, or read, or is not kept any more. */
  VALUE_UNREADABLE: 2,
  CANCELLED: 130,
  /** The lease ended, or went to another: what its holder made is not taken. */
  LEASE_LOST: 3,
  REGISTRY_UNAVAILABLE: 3,
  /** The platform cannot be reached. */
  UNREACHABLE: 3,
  /** Client and platform do not understand each other, since one of them is older. */
  VERSION_MISMATCH: 3,
  /** A fault of Lamina itself. */
  INTERNAL: 3,
} as const;

export type ErrorCode = keyof typeof CODES;

const codeNames = Object.keys(CODES).filter((name): name is ErrorCode => name in CODES);
export const ErrorCode = z.enum(codeNames);

/** Where in a user's file a method was called: the path as the client saw it, line and column from 1. */
export const SourceLocation = z.strictObject({ file: z.string(), line: z.int().min(1), column: z.int().min(1) });
export type SourceLocation = z.infer<typeof SourceLocation>;

/** An error as it travels. */
export const ErrorInfo = z.object({
  code: ErrorCode,
  /** What exactly is wrong with an input; one that only a later version knows is left out. */
  reason: ErrorReason.optional().catch(undefined),
  message: z.string(),
  /** The layer id that it concerns. */
  layer: z.string().optional(),
  source: SourceLocation.optional(),
  /** The command that failed, as its author wrote it. */
  command: z.string().optional(),
  exitCode: z.int().optional(),
  /** The last lines of output, the newest last. */
  lastLines: z.array(z.string()).optional(),
});
export type ErrorInfo = z.infer<typeof ErrorInfo>;

/** The one error class of the platform. Its `info` is all that another process sees of it; `cause` stays here. */
export class LaminaError extends Error {
  override readonly name = "LaminaError";
  readonly info: ErrorInfo;

  constructor(info: ErrorInfo, options?: ErrorOptions) {
    super(info.message, options);
    this.info = info;
  }

  get code(): ErrorCode {
    return this.info.code;
  }

  get reason(): ErrorReason | undefined {
    return this.info.reason;
  }
}

/** The error for an input that cannot be right. */
export function badInput(
  reason: ErrorReason,
  message: string,
  { source, cause }: { readonly source?: SourceLocation | null | undefined; readonly cause?: unknown } = {},
): LaminaError {
  return new LaminaError({ code: "INVALID_INPUT", reason, message, ...(source && { source }) }, { cause });
}

/** The error as it is, or an INTERNAL one with the thrown value as its cause. */
export function laminaError(thrown: unknown): LaminaError {
  if (thrown instanceof LaminaError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new LaminaError({ code: "INTERNAL", message }, { cause: thrown });
}

/** What callers are told of a fault of our own: where its cause was logged, and nothing of its inside. */
export function faultInfo(id: string | undefined): ErrorInfo {
  const where =
    id === undefined ? "The log of the control plane has its cause." : `The log of the control plane has its cause, under ${id}.`;
  return { code: "INTERNAL", message: `A fault of Lamina itself. ${where}` };
}

/** 1: the build or call failed; 2: bad usage or input; 3: the platform cannot be reached or is broken; 130: cancelled. */
export function exitCodeOf(code: ErrorCode): 1 | 2 | 3 | 130 {
  return CODES[code];
}
