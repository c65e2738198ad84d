/** From a resolved definition to a Dockerfile: one stage a layer. */
import { checkDefinition } from "../check.ts";
import type { ResolvedStep } from "../operation.ts";
import { lowerAptInstall } from "./apt.ts";
import { afterStep, NOTHING_INHERITED } from "../dockerfile/inherited.ts";
import { lowerCopyDirectory, lowerCopyFile } from "./copy.ts";
import { lowerArguments, lowerEnv, lowerWorkdir } from "./environment.ts";
import { lowerDockerfileCommands } from "./dockerfile-commands.ts";
import { lowerAddPythonPackages } from "./packages.ts";
import { lowerPipInstall } from "./pip.ts";
import { lowerPoetryInstall } from "./poetry.ts";
import { dockerWord } from "./quoting.ts";
import type { LowerRequest, Lowered, LoweredContext, LoweredStep, Surroundings } from "./request.ts";
import { lowerRunCommands } from "./run-commands.ts";
import { lowerRunFunction } from "./run-function.ts";
import { inPosixShell } from "./shell.ts";

export { endedShell, type FailedCommand, failedCommand, failedSearch } from "./failed-command.ts";
export type { LowerRequest, Lowered, LoweredContext } from "./request.ts";
export { CA_SECRET } from "./run.ts";

/**
 * Writes the Dockerfile that makes the layers `first` to `last` on top of `from`; with first 1 and
 * the base as `from`, the whole image. Without any layer to make, its only stage is `from` itself.
 * @throws {DefinitionError} for what {@link checkDefinition} refuses.
 * @throws {RangeError} for layers that the definition does not have, and for a step that asks for more GPUs than there are.
 */
export function lower(request: LowerRequest): Lowered {
  const { definition, first, last, gpus } = request;
  const { uv, poetry, node } = checkDefinition(definition);
  const count = definition.steps.length;
  if (first < 1 || last > count) throw new RangeError(`there are no layers ${first} to ${last}: the definition has 1 to ${count}`);
  let inherited = definition.steps.slice(0, first - 1).reduce(afterStep, NOTHING_INHERITED);
  const user = request.user === undefined ? undefined : dockerWord(request.user);
  inherited = { ...inherited, user: undefined };
  const layers = definition.steps.slice(first - 1, last).map((step, index) => {
    const layer = first + index;
    const surroundings = { context: `lamina-files-${layer}`, uv, poetry, node, user: inherited.user ?? user, inherited, gpus };
    const lowered = inShellOf(step, surroundings);
    inherited = afterStep(inherited, step);
    return { layer, target: stageName(layer), kind: step.kind, lowered };
  });
  if (layers.length === 0) return lowerNothing(request.from, last);
  const { from, stages: before, buildArgs } = startOf(request);
  const stages = layers.map(({ layer, target, kind, lowered }, index) => {
    const parent = index === 0 ? from : stageName(layer - 1);
    return [`# Layer ${layer}: ${kind}`, `FROM ${parent} AS ${target}`, ...lowered.instructions].join("\n");
  });
  return {
    dockerfile: `${[...before, ...stages].join("\n\n")}\n`,
    stages: layers.map(({ layer, target }) => ({ layer, target })),
    contexts: distinctContexts(layers.flatMap(({ lowered }) => lowered.contexts ?? [])),
    secrets: [...new Set(layers.flatMap(({ lowered }) => lowered.secrets ?? []))].sort(),
    buildArgs: { ...buildArgs, ...Object.fromEntries(layers.flatMap(({ lowered }) => Object.entries(lowered.buildArgs ?? {}))) },
  };
}

interface Start {
  /** What the first layer's stage starts from. */
  readonly from: string;
  readonly stages: readonly string[];
  readonly buildArgs: Lowered["buildArgs"];
}

/** Build arguments of layers below get a stage of their own, since a variable of the image then goes before one of that name. */
function startOf({ from, args = {} }: LowerRequest): Start {
  const values = Object.entries(args);
  if (values.length === 0) return { from, stages: [], buildArgs: {} };
  const { instructions, buildArgs = {} } = lowerArguments(values);
  return { from: ARGUMENTS_STAGE, stages: [[`FROM ${from} AS ${ARGUMENTS_STAGE}`, ...instructions].join("\n")], buildArgs };
}

const ARGUMENTS_STAGE = "lamina-arguments";

function lowerNothing(from: string, layer: number): Lowered {
  const target = stageName(layer);
  return { dockerfile: `FROM ${from} AS ${target}\n`, stages: [{ layer, target }], contexts: [], secrets: [], buildArgs: {} };
}

function stageName(layer: number): string {
  return `lamina-${layer}`;
}

/** Scripts of the platform's own need a POSIX shell, whatever SHELL is. */
function inShellOf(step: ResolvedStep, surroundings: Surroundings): LoweredStep {
  const lowered = lowerStep(step, surroundings);
  if (step.kind === "dockerfileCommands") return lowered;
  const hasScript = lowered.instructions.some((instruction) => instruction.startsWith("RUN "));
  return hasScript ? { ...lowered, instructions: inPosixShell(surroundings.inherited.shell, lowered.instructions) } : lowered;
}

function lowerStep(step: ResolvedStep, surroundings: Surroundings): LoweredStep {
  const { context } = surroundings;
  switch (step.kind) {
    case "dockerfileCommands":
      return lowerDockerfileCommands(step, surroundings);
    case "pipInstall":
      return lowerPipInstall(step, surroundings);
    case "runCommands":
      return lowerRunCommands(step, surroundings);
    case "aptInstall":
      return lowerAptInstall(step, surroundings);
    case "copyLocalFile":
      return lowerCopyFile(step, context);
    case "copyLocalDir":
      return lowerCopyDirectory(step, context);
    case "addPythonPackages":
      return lowerAddPythonPackages(step, surroundings);
    case "poetryInstallFromFile":
      return lowerPoetryInstall(step, surroundings);
    case "runFunction":
      return lowerRunFunction(step, surroundings);
    case "env":
      return lowerEnv(step);
    default:
      return lowerWorkdir(step);
  }
}

function distinctContexts(contexts: readonly LoweredContext[]): LoweredContext[] {
  return [...new Map(contexts.map((context) => [context.name, context])).values()];
}
