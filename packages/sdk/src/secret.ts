/** Secrets: named values that a step may use and that no image keeps. */
import { problemOfSecretValue, SecretName, type SecretReference } from "@lamina/ir";
import { z } from "zod";
import { failure, fault, parseArgument } from "./failure.ts";
import { callSite } from "./source.ts";
import { Variable } from "./variable.ts";

/** What a secret is to the SDK: values that are at hand, or the name under which the workspace keeps them. */
export type SecretContent =
  | { readonly kind: "inline"; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: "named"; readonly name: string };

/** Under this key any copy of the SDK finds a function that gives the content; a function, so that no printing shows values. */
export const SECRET: unique symbol = Symbol.for("lamina.secret");

/**
 * Variables that steps of an image see while they run. Their names are part of the image's
 * definition; their values are not, and are shown by no printing or serialising of a secret.
 */
export class Secret {
  readonly [SECRET]: () => SecretContent;

  private constructor(content: SecretContent) {
    this[SECRET] = () => content;
    Object.freeze(this);
  }

  /** A secret with these values. @throws INVALID_INPUT for a name that no shell could expand, or a value that no environment could hold */
  static fromDict(values: Readonly<Record<string, string>>): Secret {
    return new Secret({ kind: "inline", values: parseValues(values, "Secret.fromDict") });
  }

  /** The secret that the workspace keeps under this name, as `lamina secret set` put it there. */
  static fromName(name: string): Secret {
    const at = { method: "Secret.fromName", source: callSite() };
    return new Secret({ kind: "named", name: parseArgument(Name, name, at) });
  }

  /** The values that these environment variables have now. @throws SECRET_MISSING when one is not set, or is empty */
  static fromEnv(names: readonly string[]): Secret {
    const at = { method: "Secret.fromEnv", source: callSite() };
    const entries = parseArgument(Names, names, at).map((name) => {
      const value = process.env[name];
      if (value === undefined || value === "") {
        const { source } = at;
        throw failure("SECRET_MISSING", `Secret.fromEnv: the environment variable ${name} ${value === "" ? "is empty" : "is not set"}`, {
          reason: "unset-variable",
          source,
        });
      }
      return [name, value];
    });
    return new Secret({ kind: "inline", values: parseValues(Object.fromEntries(entries), at.method) });
  }
}

/** A value that any copy of the SDK takes as a secret. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === "object" && value !== null && SECRET in value && typeof value[SECRET] === "function";
}

/** How a definition names a secret. */
export function referenceTo(secret: Secret): SecretReference {
  const content = secret[SECRET]();
  if (content.kind === "named") return { kind: "named", name: content.name };
  return { kind: "inline", variables: Object.keys(content.values).sort() };
}

/** The values of a secret, checked. Messages name variables and never show values. */
function parseValues(values: unknown, method: string): Readonly<Record<string, string>> {
  return Object.freeze(parseArgument(Values, values, { method, source: callSite() }));
}

const Values = z
  .record(Variable, z.string({ error: "a value must be a string" }), { error: "give an object of variable names and values" })
  .refine((values) => Object.keys(values).length > 0, fault("empty-arguments", "give at least one variable"))
  .check(({ value: values, issues }) => {
    for (const [name, input] of Object.entries(values)) {
      const message = problemOfSecretValue(name, input);
      if (message !== undefined) issues.push({ code: "custom", path: [name], input, message, params: { reason: "invalid-secret-value" } });
    }
  });
const Names = z
  .array(Variable, { error: "give a list of variable names" })
  .refine((names) => names.length > 0, fault("empty-arguments", "give at least one variable name"));
const Name = z
  .string({ error: "the name must be a string" })
  .refine(
    (name) => SecretName.safeParse(name).success,
    fault("invalid-secret-name", "a secret's name is up to 63 letters, digits, '.', '_' and '-', and begins with a letter or digit"),
  );
