/** From a definition to a resolved definition, once the outside has answered. */
import type {
  Definition,
  Digest,
  Operation,
  Platform,
  ResolvedDefinition,
  ResolvedStep,
  SecretReference,
  StepOperation,
} from "./operation.ts";

/** What the outside decides about a definition. */
export interface Resolution {
  readonly platform: Platform;
  /** The digest of the base's manifest for that platform. */
  readonly baseDigest: Digest;
  /** The variable names of each secret that the definition refers to by name. */
  readonly secrets: ReadonlyMap<string, readonly string[]>;
}

/** Fills in a definition. @throws {RangeError} when a named secret is not in the resolution: ask for all of {@link secretNamesOf} first. */
export function resolveDefinition(definition: Definition, resolution: Resolution): ResolvedDefinition {
  return {
    builderVersion: definition.builderVersion,
    platform: resolution.platform,
    base: { kind: "base", digest: resolution.baseDigest },
    steps: definition.steps.map((step) => resolveStep(step, resolution)),
  };
}

/** The names of the secrets that a definition leaves to the server, sorted. */
export function secretNamesOf(definition: Definition): string[] {
  const names = [definition.base, ...definition.steps]
    .flatMap(secretsOf)
    .flatMap((secret) => (secret.kind === "named" ? [secret.name] : []));
  return [...new Set(names)].sort();
}

/** The secrets that an operation uses. */
export function secretsOf(operation: Operation): readonly SecretReference[] {
  if ("secrets" in operation) return operation.secrets ?? [];
  return "secret" in operation && operation.secret !== undefined ? [operation.secret] : [];
}

/** The trees of local files that a definition copies, each once. */
export function treesOf(definition: { readonly steps: readonly (StepOperation | ResolvedStep)[] }): Digest[] {
  return [...new Set(definition.steps.flatMap((step) => ("tree" in step && step.tree !== undefined ? [step.tree] : [])))];
}

function resolveStep(step: StepOperation, resolution: Resolution): ResolvedStep {
  switch (step.kind) {
    case "pipInstall":
    case "runCommands":
    case "aptInstall":
    case "addPythonPackages":
    case "poetryInstallFromFile":
    case "dockerfileCommands":
    case "runFunction":
      return { ...step, secrets: step.secrets && variablesOf(step.secrets, resolution) };
    default:
      return step;
  }
}

function variablesOf(references: readonly SecretReference[], resolution: Resolution): string[] {
  const variables = references.flatMap((reference) => {
    if (reference.kind === "inline") return reference.variables;
    const named = resolution.secrets.get(reference.name);
    if (named === undefined) throw new RangeError(`the resolution lacks secret "${reference.name}"`);
    return [...named];
  });
  return [...new Set(variables)].sort();
}
