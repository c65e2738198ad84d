/** What a call threw where it ran, as an error here. */
import { type CallError, LaminaError } from "@lamina/api";

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
 * and a LaminaError as its cause. For what the platform itself has to say of a call, that LaminaError.
 */
export function errorOf({ exception, ...info }: CallError): Error {
  const cause = new LaminaError(info);
  if (exception === undefined) return cause;
  const { type, message, stack } = exception;
  const error = new (BUILT_IN.get(type) ?? Error)(message, { cause });
  if (error.name !== type) Object.defineProperty(error, "name", { value: type, configurable: true, writable: true });
  const here = (error.stack ?? "").slice((error.stack ?? "").indexOf("\n    at "));
  Object.defineProperty(error, "stack", {
    value: `${stack.trimEnd()}\n    --- which was called from here ---${here}`,
    configurable: true,
    writable: true,
  });
  return error;
}
