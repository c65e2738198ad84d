/** Finds what cannot be built in a definition before any work is done for it. */
import { type BuilderVersion, builderVersion, builderVersionNames } from "./builder-version.ts";
import { instructionsFault } from "./check-instructions.ts";
import { pathFault } from "./check-path.ts";
import { pythonFault } from "./check-python.ts";
import { DefinitionError, type Fault } from "./definition-error.ts";
import { fileLayersOf } from "./dockerfile/fragment.ts";
import { afterStep, type Inherited, NOTHING_INHERITED } from "./dockerfile/inherited.ts";
import { entryBytes, LONGEST_ENTRY_BYTES } from "./environment-entry.ts";
import { isImageReference, SCRATCH } from "./image-reference.ts";
import { divideArguments, pipArguments, referencesIn } from "./lower/pip-arguments.ts";
import { isReservedVariable } from "./lower/reserved.ts";
import type { Definition, ResolvedDefinition, ResolvedStep, StepOperation } from "./operation.ts";
import { packageNamesFault, requirementsFault } from "./package-faults.ts";

/**
 * Checks a definition as its author wrote it, or the same resolved. The variables of a secret that
 * is referred to by name are known only in a resolved definition, so check that one too.
 * @returns the builder version that it asks for.
 * @throws {DefinitionError} for the first fault, with the index of its step.
 */
export function checkDefinition(definition: Definition | ResolvedDefinition): BuilderVersion {
  const version = builderVersion(definition.builderVersion);
  if (version === undefined) {
    const known = builderVersionNames().join(", ");
    throw new DefinitionError("unknown-builder-version", `there is no builder version "${definition.builderVersion}"; known are ${known}`);
  }
  checkBase(definition.base);
  checkSize(definition.steps);
  checkEnvironment(definition.steps);
  const isResolved = definition.base.kind === "base";
  const isEmpty = definition.base.kind === "fromRegistry" && definition.base.reference === SCRATCH;
  let inherited: Inherited = { ...NOTHING_INHERITED, isEmpty };
  definition.steps.forEach((step, index) => {
    const secrets = secretVariables(("secrets" in step && step.secrets) || []);
    const fault =
      pathFault(step, isResolved) ??
      faultOf(step) ??
      pythonFault(step, definition, version) ??
      instructionsFault(step, { secrets, inherited });
    if (fault !== undefined) throw new DefinitionError(fault.reason, `${step.kind}: ${fault.message}`, index);
    inherited = afterStep(inherited, step);
  });
  checkLayerCount(definition.steps);
  return version;
}

type Step = StepOperation | ResolvedStep;
type StepOf<Kind extends Step["kind"]> = Extract<Step, { kind: Kind }>;

/** Docker mounts no more than 127 layers, where the platform itself takes hundreds; the rest is left to the base. `env` adds no files. */
const MOST_LAYERS = 120;
/** All variables together share, with the arguments, a quarter of the stack: 2 MiB as a rule. */
const LARGEST_ENVIRONMENT = 1024 * 1024;
/** As JSON. What is larger belongs into files. */
const LARGEST_DEFINITION = 4 * 1024 * 1024;

function checkBase(base: (Definition | ResolvedDefinition)["base"]): void {
  if (base.kind !== "fromRegistry" || isImageReference(base.reference)) return;
  const example = 'such as "python:3.12-slim" or "registry.example/team/app@sha256:…"';
  throw new DefinitionError("invalid-reference", `fromRegistry: ${JSON.stringify(base.reference)} is not an image reference ${example}`);
}

function checkSize(steps: readonly Step[]): void {
  let size = 0;
  steps.forEach((step, index) => {
    size += Buffer.byteLength(JSON.stringify(step));
    if (size <= LARGEST_DEFINITION) return;
    const advice = "put long texts into files and copy them";
    throw new DefinitionError(
      "definition-too-large",
      `${step.kind}: the definition has more than ${LARGEST_DEFINITION} bytes: ${advice}`,
      index,
    );
  });
}

function checkLayerCount(steps: readonly Step[]): void {
  const layers = steps.flatMap((step, index) => Array.from({ length: fileLayersOf(step) }, () => index));
  const excess = layers[MOST_LAYERS];
  if (excess === undefined) return;
  const counted = "each step but env makes one, and in dockerfileCommands each RUN, COPY, ADD and WORKDIR";
  const advice = "give several commands to one runCommands, several packages to one install, or copy one directory instead of its files";
  throw new DefinitionError(
    "too-many-layers",
    `the image has ${layers.length} layers of files, and no more than ${MOST_LAYERS} fit (${counted}): ${advice}`,
    excess,
  );
}

function checkEnvironment(steps: readonly Step[]): void {
  const sizes = new Map<string, number>();
  steps.forEach((step, index) => {
    if (step.kind !== "env") return;
    for (const [name, value] of Object.entries(step.variables)) {
      const size = entryBytes(name, value);
      if (size > LONGEST_ENTRY_BYTES) {
        throw new DefinitionError(
          "environment-too-large",
          `env: ${name} has ${size} bytes; Linux takes ${LONGEST_ENTRY_BYTES}: put it into a file`,
          index,
        );
      }
      sizes.set(name, size);
    }
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    if (total > LARGEST_ENVIRONMENT) {
      throw new DefinitionError(
        "environment-too-large",
        `env: all variables together have ${total} bytes; ${LARGEST_ENVIRONMENT} is the most`,
        index,
      );
    }
  });
}

function faultOf(step: Step): Fault | undefined {
  return (
    invalidText(step) ?? faultOfKind(step) ?? ("secrets" in step ? reservedVariable(secretVariables(step.secrets ?? []).names) : undefined)
  );
}

function faultOfKind(step: Step): Fault | undefined {
  switch (step.kind) {
    case "pipInstall":
      return emptyArguments(step.arguments) ?? secretFault(step) ?? requirementsFault(step);
    case "aptInstall":
      return emptyArguments(step.arguments) ?? packageNamesFault(step.arguments);
    case "runCommands":
      return step.commands.length === 0 ? { reason: "empty-arguments", message: "there is no command" } : undefined;
    case "addPythonPackages":
    case "poetryInstallFromFile":
      return undefined;
    case "runFunction":
      return keywordsFault(step);
    case "dockerfileCommands":
      return step.commands.length === 0 ? { reason: "empty-arguments", message: "there is no instruction" } : undefined;
    case "copyLocalFile":
    case "copyLocalDir":
    case "workdir":
      return undefined;
    case "env":
      return Object.keys(step.variables).length === 0
        ? { reason: "empty-arguments", message: "there is no variable" }
        : reservedVariable(Object.keys(step.variables));
  }
}

function keywordsFault({ language, kwargs }: StepOf<"runFunction">): Fault | undefined {
  if (language === "python" || kwargs === undefined) return undefined;
  return { reason: "invalid-argument", message: "a function of JavaScript has no keyword arguments" };
}

function invalidText(step: Step): Fault | undefined {
  const text = textsIn(step).find((value) => value.includes("\0") || !value.isWellFormed());
  return text === undefined ? undefined : { reason: "invalid-text", message: `${JSON.stringify(text)} holds a NUL or half a character` };
}

/** All strings that are in a value, at any depth. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function emptyArguments(args: readonly string[]): Fault | undefined {
  if (args.length === 0) return { reason: "empty-arguments", message: "there is no package to install" };
  const empty = args.findIndex((argument) => argument.trim() === "");
  return empty === -1 ? undefined : { reason: "empty-arguments", message: `argument ${empty + 1} is empty` };
}

function secretFault(step: StepOf<"pipInstall">): Fault | undefined {
  const args = pipArguments(step);
  const { names, complete } = secretVariables(step.secrets ?? []);
  const undeclared = complete ? args.flatMap(referencesIn).find((name) => !names.includes(name)) : undefined;
  if (undeclared !== undefined) {
    return {
      reason: "undeclared-secret",
      message: `\${${undeclared}} is no variable of a secret of this step, and nothing else is expanded`,
    };
  }
  const [misplaced] = divideArguments(args).misplaced;
  if (misplaced === undefined) return undefined;
  return {
    reason: "misplaced-secret",
    message: `a secret can stand in a requirement or the URL of an index, not in ${JSON.stringify(misplaced)}`,
  };
}

/** The variables of secrets as far as they are known, and whether that is all of them. */
function secretVariables(secrets: NonNullable<StepOf<"pipInstall" | "runCommands">["secrets"]>): { names: string[]; complete: boolean } {
  const names = secrets.flatMap((secret) => {
    if (typeof secret === "string") return [secret];
    return secret.kind === "inline" ? secret.variables : [];
  });
  return { names, complete: secrets.every((secret) => typeof secret === "string" || secret.kind === "inline") };
}

function reservedVariable(names: readonly string[]): Fault | undefined {
  const reserved = names.find(isReservedVariable);
  return reserved === undefined
    ? undefined
    : { reason: "reserved-variable", message: `${reserved} is used by the platform while it builds: choose another name` };
}
