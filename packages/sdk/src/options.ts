/** Options of a method: a plain object. Any other object has no fields that are seen, so what it is meant for would be dropped. */
import { badInput, type SourceLocation } from "@lamina/api";
import type { z } from "zod";
import { parseArgument } from "./failure.ts";
import { isSecret } from "./secret.ts";

export type OptionsSchema<Options> = z.ZodType<Options> & { readonly shape: object };

/** Parses the options of the method of that name. @throws INVALID_INPUT with what is wrong with them */
export function parseOptions<Options>(
  schema: OptionsSchema<Options>,
  value: unknown,
  call: { readonly method: string; readonly source: SourceLocation | null },
): Options {
  if (typeof value !== "object" || value === null || Array.isArray(value) || isPlain(value)) return parseArgument(schema, value, call);
  const write = isSecret(value) ? secretIn(schema.shape) : undefined;
  throw badInput("invalid-argument", `${call.method}: the options must be a plain object${write ?? ""}`, call);
}

function secretIn(shape: object): string | undefined {
  if ("secrets" in shape) return ": write { secrets: [secret] }";
  return "secret" in shape ? ": write { secret }" : undefined;
}

/** Whether it was written as one, here or in another realm. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
