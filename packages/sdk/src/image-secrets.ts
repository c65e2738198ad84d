/** The secrets that an image's steps use, as far as they concern each other. */
import type { Call } from "./arguments.ts";
import { invalidInput } from "./failure.ts";
import { type Secret, SECRET } from "./secret.ts";

/** Adds secrets to those that earlier steps use. @throws INVALID_INPUT when a variable would have two values in one image */
export function withSecrets(before: readonly Secret[], added: readonly Secret[], call: Call): readonly Secret[] {
  const secrets = Object.freeze([...new Set([...before, ...added])]);
  const values = new Map<string, string>();
  for (const [name, value] of secrets.flatMap(valuesOf)) {
    if ((values.get(name) ?? value) !== value) {
      throw invalidInput(
        `${call.method}: two secrets of this image give ${name} different values; name their variables apart`,
        call.source,
      );
    }
    values.set(name, value);
  }
  return secrets;
}

/** The values of the secrets that are given inline, by variable name. */
export function inlineValues(secrets: readonly Secret[]): Record<string, string> {
  return Object.fromEntries(secrets.flatMap(valuesOf));
}

function valuesOf(secret: Secret): [name: string, value: string][] {
  const content = secret[SECRET]();
  return content.kind === "inline" ? Object.entries(content.values) : [];
}
