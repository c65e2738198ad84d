/** The secrets that an image's steps use, as far as they concern each other. */
import { badInput, type LaminaError } from "@lamina/api";
import { REGISTRY_VARIABLES, type SecretReference, secretsOf, textsIn } from "@lamina/ir";
import type { Call } from "./arguments.ts";
import { failure } from "./failure.ts";
import type { ImageState, Step } from "./image-state.ts";
import { referenceTo, type Secret, SECRET } from "./secret.ts";

/** What secrets are given for: in one a variable has one value. */
interface Whole {
  readonly of: "image" | "app";
}

/** Adds secrets to those of earlier steps or functions. @throws INVALID_INPUT when a variable would have two values in the whole */
export function withSecrets(before: readonly Secret[], added: readonly Secret[], call: Call & Whole): readonly Secret[] {
  const secrets = Object.freeze([...new Set([...before, ...added])]);
  const values = new Map<string, string>();
  for (const [name, value] of secrets.flatMap(valuesOf)) {
    if ((values.get(name) ?? value) !== value) {
      const message = `${call.method}: two secrets of this ${call.of} give ${name} different values; name their variables apart`;
      throw badInput("conflicting-secrets", message, call);
    }
    values.set(name, value);
  }
  return secrets;
}

/**
 * A value where its name was meant: between backticks JavaScript, and not the step, expands `${NAME}`. The image would keep it, and
 * everybody see it. @throws INVALID_INPUT, which names the variable
 */
export function refuseValuesIn(step: Step, secrets: readonly Secret[], call: Call): void {
  const name = variableIn(step, secrets.flatMap(valuesOf));
  if (name !== undefined) throw valueStays(name, `write \${${name}} for the step to read; between backticks that is \\\${${name}}`, call);
}

/** The same for the setup of a base, whose secret no step has. The name of a user is in many words. */
export function refuseCredentialsIn(setup: Step, secret: Secret, call: Call): void {
  const name = variableIn(
    setup,
    valuesOf(secret).filter(([variable]) => variable !== "REGISTRY_USERNAME"),
  );
  if (name !== undefined) {
    throw valueStays(name, "the setup has no secrets; do what needs them in dockerfileCommands([…], { secrets: […] }) after it", call);
  }
}

/** The variable whose value is in what a step says. */
function variableIn(step: Step, values: readonly (readonly [name: string, value: string])[]): string | undefined {
  const texts = textsIn(step);
  return values.find(([, value]) => value.length >= SHORTEST_VALUE && texts.some((text) => text.includes(value)))?.[0];
}

function valueStays(name: string, advice: string, { method, source }: Call): LaminaError {
  const message = `${method}: the value of the secret ${name} is in what is to be built, where it would stay: ${advice}`;
  return badInput("secret-value-in-step", message, { source });
}

/** Shorter ones are in many words. */
const SHORTEST_VALUE = 8;

/** How a definition names the secret of a base. @throws SECRET_MISSING when it is seen not to bring what a registry asks for */
export function registrySecret(secret: Secret, { method, source }: Call): SecretReference {
  const reference = referenceTo(secret);
  if (reference.kind === "named") return reference;
  const missing = REGISTRY_VARIABLES.filter((variable) => !reference.variables.includes(variable));
  if (missing.length === 0) return { kind: "inline", variables: [...REGISTRY_VARIABLES].sort() };
  const message = `${method}: the secret has no ${missing.join(" and ")}; it has to bring ${REGISTRY_VARIABLES.join(" and ")}`;
  throw failure("SECRET_MISSING", message, { reason: "incomplete-secret", source });
}

/** Of the values of secrets that are given inline, those that resolving the base needs. */
export function baseValues({ base, secrets }: Pick<ImageState, "base" | "secrets">): Record<string, string> {
  const names = secretsOf(base).flatMap((secret) => (secret.kind === "inline" ? secret.variables : []));
  return Object.fromEntries(secrets.flatMap(valuesOf).filter(([name]) => names.includes(name)));
}

/** The values of the secrets that are given inline, by variable name. */
export function inlineValues(secrets: readonly Secret[]): Record<string, string> {
  return Object.fromEntries(secrets.flatMap(valuesOf));
}

function valuesOf(secret: Secret): [name: string, value: string][] {
  const content = secret[SECRET]();
  return content.kind === "inline" ? Object.entries(content.values) : [];
}
