/** Finds what cannot be built in a definition before any work is done for it. */
import { type BuilderVersion, builderVersion, builderVersionNames } from "./builder-version.ts";
import { instructionsFault } from "./check-instructions.ts";
import { afterVariables, type EnvironmentSize, environmentFault, NO_ENVIRONMENT } from "./check-environment.ts";
import { pathFault } from "./check-path.ts";
import { pythonFault } from "./check-python.ts";
import { DefinitionError, type Fault } from "./definition-error.ts";
import { fileLayersOf } from "./dockerfile/fragment.ts";
import { afterStep, type Inherited, inheritedFrom } from "./dockerfile/inherited.ts";
import { isImageReference } from "./image-reference.ts";
import { divideArguments, pipArguments, referencesIn } from "./lower/pip-arguments.ts";
import { isReservedForSecrets, isReservedVariable } from "./lower/reserved.ts";
import type { Definition, ResolvedDefinition, ResolvedStep, StepOperation } from "./operation.ts";
import { packageNamesFault, requirementsFault } from "./package-faults.ts";

/** What the check of a definition has found out so far, for the step after. A step is checked once, however many follow. */
export interface Checked {
  readonly version: BuilderVersion;
  readonly beginning: Beginning;
  /** How many steps have been checked. */
  readonly steps: number;
  /** Of the steps, as JSON. */
  readonly bytes: number;
  /** Of files. */
  readonly layers: number;
  readonly environment: EnvironmentSize;
  readonly inherited: Inherited;
}

/** What a definition says beside its steps. */
export type Beginning = Omit<Definition, "steps"> | Omit<ResolvedDefinition, "steps">;

/**
 * Checks a definition as its author wrote it, or the same resolved. The variables of a secret that
 * is referred to by name are known only in a resolved definition, so check that one too.
 * @returns the builder version that it asks for.
 * @throws {DefinitionError} for the first fault, with the index of its step.
 */
export function checkDefinition(definition: Definition | ResolvedDefinition): BuilderVersion {
  let checked = checkBeginning(definition);
  for (const step of definition.steps) checked = checkStep(checked, step);
  return checked.version;
}

/** @throws {DefinitionError} */
export function checkBeginning(beginning: Beginning): Checked {
  const { base } = beginning;
  const version = builderVersion(beginning.builderVersion);
  if (version === undefined) {
    const known = builderVersionNames().join(", ");
    throw new DefinitionError("unknown-builder-version", `there is no builder version "${beginning.builderVersion}"; known are ${known}`);
  }
  checkBase(base);
  return { version, beginning, steps: 0, bytes: 0, layers: 0, environment: NO_ENVIRONMENT, inherited: inheritedFrom(base) };
}

/** Checks one more step. @throws {DefinitionError} */
export function checkStep(before: Checked, step: Step): Checked {
  const { version, beginning, inherited } = before;
  const bytes = before.bytes + Buffer.byteLength(JSON.stringify(step));
  const environment = step.kind === "env" ? afterVariables(before.environment, step.variables) : before.environment;
  const secrets = secretVariables(("secrets" in step && step.secrets) || []);
  refuse(
    sizeFault(bytes) ??
      (step.kind === "env" ? environmentFault(environment, Object.keys(step.variables)) : undefined) ??
      pathFault(step, beginning.base.kind === "base") ??
      faultOf(step) ??
      pythonFault(step, beginning, version) ??
      instructionsFault(step, { secrets, inherited }),
  );
  // Only instructions that have been found right can be counted.
  const layers = before.layers + fileLayersOf(step);
  refuse(layerCountFault(layers));
  return { ...before, steps: before.steps + 1, bytes, layers, environment, inherited: afterStep(inherited, step) };

  function refuse(fault: Fault | undefined): void {
    if (fault !== undefined) throw new DefinitionError(fault.reason, `${step.kind}: ${fault.message}`, before.steps);
  }
}

type Step = StepOperation | ResolvedStep;
type StepOf<Kind extends Step["kind"]> = Extract<Step, { kind: Kind }>;

/** Docker mounts no more than 127 layers, where the platform itself takes hundreds; the rest is left to the base. `env` adds no files. */
const MOST_LAYERS = 120;
/** As JSON. What is larger belongs into files. */
const LARGEST_DEFINITION = 4 * 1024 * 1024;

function checkBase(base: (Definition | ResolvedDefinition)["base"]): void {
  if (base.kind !== "fromRegistry" || isImageReference(base.reference)) return;
  const example = 'such as "python:3.12-slim" or "registry.example/team/app@sha256:…"';
  throw new DefinitionError("invalid-reference", `fromRegistry: ${JSON.stringify(base.reference)} is not an image reference ${example}`);
}

function sizeFault(bytes: number): Fault | undefined {
  if (bytes <= LARGEST_DEFINITION) return undefined;
  const message = `the definition has more than ${LARGEST_DEFINITION} bytes: put long texts into files and copy them`;
  return { reason: "definition-too-large", message };
}

function layerCountFault(layers: number): Fault | undefined {
  if (layers <= MOST_LAYERS) return undefined;
  const counted = "each step but env makes one, and in dockerfileCommands each RUN, COPY, ADD and WORKDIR";
  const advice = "give several commands to one runCommands, several packages to one install, or copy one directory instead of its files";
  const message = `the image has ${layers} layers of files, and no more than ${MOST_LAYERS} fit (${counted}): ${advice}`;
  return { reason: "too-many-layers", message };
}

function faultOf(step: Step): Fault | undefined {
  return (
    invalidText(step) ??
    faultOfKind(step) ??
    ("secrets" in step ? reservedVariable(secretVariables(step.secrets ?? []).names, isReservedForSecrets) : undefined)
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
        : reservedVariable(Object.keys(step.variables), isReservedVariable);
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

function reservedVariable(names: readonly string[], isReserved: (name: string) => boolean): Fault | undefined {
  const reserved = names.find(isReserved);
  return reserved === undefined
    ? undefined
    : { reason: "reserved-variable", message: `${reserved} is used by the platform while it builds: choose another name` };
}
