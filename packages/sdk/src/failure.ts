/** Errors about what the user wrote. */
import { badInput, type ErrorCode, ErrorInfo, ErrorReason, LaminaError, type SourceLocation } from "@lamina/api";
import { z } from "zod";

export interface FailureOptions extends ErrorOptions {
  readonly reason: ErrorReason;
  /** The place in the user's file that it concerns, if there is one. */
  readonly source: SourceLocation | null;
}

/** An error of another code than INVALID_INPUT about what was given. */
export function failure(code: ErrorCode, message: string, { reason, source, ...options }: FailureOptions): LaminaError {
  return new LaminaError({ code, reason, message, ...(source !== null && { source }) }, options);
}

/** What a check of a schema says where it finds something wrong. */
export function fault(reason: ErrorReason, error: string): { readonly error: string; readonly params: { readonly reason: ErrorReason } } {
  return { error, params: { reason } };
}

/** Parses an argument of the method of that name. @throws INVALID_INPUT with what is wrong with it */
export function parseArgument<T>(
  schema: z.ZodType<T>,
  value: unknown,
  at: { readonly method: string; readonly source: SourceLocation | null },
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  throw badInput(reasonOf(first), `${at.method}: ${result.error.issues.map(problem).join("; ")}`, { source: at.source });
}

const Params = z.object({ reason: ErrorReason });

/** The reason of the check that failed; of what is merely of another kind, the one that says so. */
function reasonOf(issue: z.core.$ZodIssue | undefined): ErrorReason {
  switch (issue?.code) {
    case "invalid_key":
      return reasonOf(issue.issues[0]);
    case "unrecognized_keys":
      return "unknown-option";
    case "custom":
      return Params.safeParse(issue.params).data?.reason ?? "invalid-argument";
    default:
      return "invalid-argument";
  }
}

/** The error when it is one of Lamina's, from this copy of the SDK or from another. */
export function asLaminaError(thrown: unknown): LaminaError | undefined {
  if (thrown instanceof LaminaError) return thrown;
  if (!(thrown instanceof Error) || thrown.name !== "LaminaError" || !("info" in thrown)) return undefined;
  const info = ErrorInfo.safeParse(thrown.info);
  return info.success ? new LaminaError(info.data, { cause: thrown }) : undefined;
}

/** Items of lists are counted from 1, as they are in all other messages. */
function problem(issue: z.core.$ZodIssue): string {
  const place = issue.path.map((part) => (typeof part === "number" ? part + 1 : part)).join(".");
  const message = messageOf(issue);
  return place === "" ? message : `${place}: ${message}`;
}

/** In our words where a schema has none of its own. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
  if (issue.code === "unrecognized_keys") return `there is no option ${issue.keys.map((key) => JSON.stringify(key)).join(", ")}`;
  if (issue.code !== "invalid_type" || !issue.message.startsWith("Invalid input")) return issue.message;
  if (issue.expected === "object" && issue.path.length === 0) return "the options must be an object";
  return `must be ${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`;
}
