/** From what a tRPC client throws to the platform's own errors. */
import { TRPCClientError } from "@trpc/client";
import { z } from "zod";
import { ErrorInfo, LaminaError } from "./errors.ts";

const Answer = z.object({ lamina: ErrorInfo });
const AnyAnswer = z.object({ lamina: z.object({ code: z.string(), message: z.string() }) });

/**
 * The error that the control plane answered; UNREACHABLE when none came from it.
 * @param unreachable what to tell people then, given the reason
 */
export function fromClientError(error: unknown, unreachable: (reason: string) => string): LaminaError {
  if (error instanceof LaminaError) return error;
  if (!(error instanceof TRPCClientError)) return new LaminaError({ code: "INTERNAL", message: String(error) }, { cause: error });
  const answer = Answer.safeParse(error.data);
  if (answer.success) return new LaminaError(answer.data.lamina, { cause: error });
  const newer = AnyAnswer.safeParse(error.data);
  if (newer.success) {
    const { code, message } = newer.data.lamina;
    return new LaminaError(
      { code: "INTERNAL", message: `${message} (${code}, which this version of Lamina does not know)` },
      { cause: error },
    );
  }
  if (!hadNoAnswer(error)) return new LaminaError({ code: "INTERNAL", message: error.message }, { cause: error });
  return new LaminaError({ code: "UNREACHABLE", message: unreachable(rootReason(error)) }, { cause: error });
}

/** No answer of the router's: the connection failed, or something else answered in its place. */
export function hadNoAnswer(error: { readonly shape: unknown }): boolean {
  return error.shape === undefined || error.shape === null;
}

/** Node's fetch says "fetch failed" and keeps the reason in the causes. */
export function rootReason(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return rootReason(cause.errors[0]);
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause === undefined ? cause.message || cause.name : rootReason(cause.cause);
}
