/** Errors about what the user wrote. */
import { type ErrorCode, ErrorInfo, LaminaError, type SourceLocation } from "@lamina/api";
import type { z } from "zod";

/** An input that cannot be right, with the place where it was given. */
export function invalidInput(message: string, source: SourceLocation | null, options?: ErrorOptions): LaminaError {
  return failure("INVALID_INPUT", message, { source, ...options });
}

/** An error of any code, with the place in the user's file that it concerns, if there is one. */
export function failure(code: ErrorCode, message: string, options: ErrorOptions & { readonly source: SourceLocation | null }): LaminaError {
  const { source, ...rest } = options;
  return new LaminaError({ code, message, ...(source !== null && { source }) }, rest);
}

/** Parses an argument of the method of that name. @throws INVALID_INPUT with what is wrong with it */
export function parseArgument<T>(
  schema: z.ZodType<T>,
  value: unknown,
  at: { readonly method: string; readonly source: SourceLocation | null },
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalidInput(`${at.method}: ${result.error.issues.map(problem).join("; ")}`, at.source);
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
