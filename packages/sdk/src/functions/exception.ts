/** What a call threw where it ran, as an error here. */
import { type CallError, LaminaError } from "@lamina/api";
import { framesOutside } from "../source.ts";

/** Those classes of JavaScript's own that a message alone makes. */
const BUILT_IN: ReadonlyMap<string, new (message: string, options: ErrorOptions) => Error> = new Map([
  ["EvalError", EvalError],
  ["RangeError", RangeError],
  ["ReferenceError", ReferenceError],
  ["SyntaxError", SyntaxError],
  ["TypeError", TypeError],
  ["URIError", URIError],
]);

/**
 * An error of the name and, where it is JavaScript's own, the class that was thrown, with the stack from there above the one from here
 * and a LaminaError as its cause. For what the platform itself has to say of a call, that LaminaError; of a function that could not be set
 * up, with the stack of that.
 */
export function errorOf({ exception, ...info }: CallError): Error {
  if (exception === undefined) return new LaminaError(info);
  const { type, message, stack } = exception;
  const lastLines = stack.trimEnd().split("\n");
  if (info.code !== "CALL_FAILED") return new LaminaError({ ...info, lastLines });
  const cause = new LaminaError({ ...info, message: `${type}: ${message}`, lastLines });
  const error = new (BUILT_IN.get(type) ?? Error)(message, { cause });
  if (error.name !== type) Object.defineProperty(error, "name", { value: type, configurable: true, writable: true });
  const both = [stack.trimEnd(), "    --- which was called from here ---", ...framesOutside(error.stack ?? "")].join("\n");
  Object.defineProperty(error, "stack", { value: both, configurable: true, writable: true });
  return error;
}
