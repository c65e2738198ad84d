/** Options of a method: a plain object. Any other object has no fields that are seen, so what it is meant for would be dropped. */
import { z } from "zod";
import { isSecret } from "./secret.ts";

/** The schema of options with these fields, and no others; `advice` may say what was meant by something else. */
export function plainOptions<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  advice: (input: unknown) => string | undefined = () => undefined,
) {
  return z.preprocess((input, { issues }) => {
    if (isPlain(input)) return input;
    const write = advice(input) ?? (isSecret(input) ? secretIn(shape) : undefined);
    const message = `the options must be ${isObject(input) ? "a plain object" : "an object"}${write === undefined ? "" : `: write ${write}`}`;
    issues.push({ code: "custom", input, message });
    return z.NEVER;
  }, z.strictObject(shape));
}

function secretIn(shape: object): string | undefined {
  if ("secrets" in shape) return "{ secrets: [secret] }";
  return "secret" in shape ? "{ secret }" : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Of this realm or of another. */
function isPlain(value: unknown): boolean {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
