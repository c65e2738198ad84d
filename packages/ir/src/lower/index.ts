/** From a resolved definition to a Dockerfile: one stage a layer. */
import { checkDefinition } from "../check.ts";
import type { ResolvedStep } from "../operation.ts";
import { lowerAptInstall } from "./apt.ts";
import { lowerCopyDirectory, lowerCopyFile } from "./copy.ts";
import { lowerEnv, lowerWorkdir } from "./environment.ts";
import { type PipSurroundings, lowerPipInstall } from "./pip.ts";
import type { LowerRequest, Lowered, LoweredContext, LoweredStep } from "./request.ts";
import { lowerRunCommands } from "./run-commands.ts";

export { type FailedCommand, failedCommand, failedSearch } from "./failed-command.ts";
export type { LowerRequest, Lowered, LoweredContext } from "./request.ts";
export { CA_SECRET } from "./run.ts";

/**
 * Writes the Dockerfile that makes the layers `first` to `last` on top of `from`; with first 1 and
 * the base as `from`, the whole image. Without any layer to make, its only stage is `from` itself.
 * @throws {DefinitionError} for what {@link checkDefinition} refuses.
 * @throws {RangeError} for layers that the definition does not have.
 */
export function lower(request: LowerRequest): Lowered {
  const { definition, from, first, last, user } = request;
  const { uv } = checkDefinition(definition);
  const count = definition.steps.length;
  if (first < 1 || last > count) throw new RangeError(`there are no layers ${first} to ${last}: the definition has 1 to ${count}`);
  const layers = definition.steps.slice(first - 1, last).map((step, index) => {
    const layer = first + index;
    return { layer, target: stageName(layer), kind: step.kind, lowered: lowerStep(step, { context: `lamina-files-${layer}`, uv, user }) };
  });
  if (layers.length === 0) return lowerNothing(from, last);
  const stages = layers.map(({ layer, target, kind, lowered }, index) => {
    const parent = index === 0 ? from : stageName(layer - 1);
    return [`# Layer ${layer}: ${kind}`, `FROM ${parent} AS ${target}`, ...lowered.instructions].join("\n");
  });
  return {
    dockerfile: `${stages.join("\n\n")}\n`,
    stages: layers.map(({ layer, target }) => ({ layer, target })),
    contexts: distinctContexts(layers.flatMap(({ lowered }) => lowered.contexts ?? [])),
    secrets: [...new Set(layers.flatMap(({ lowered }) => lowered.secrets ?? []))].sort(),
    buildArgs: Object.fromEntries(layers.flatMap(({ lowered }) => Object.entries(lowered.buildArgs ?? {}))),
  };
}

function lowerNothing(from: string, layer: number): Lowered {
  const target = stageName(layer);
  return { dockerfile: `FROM ${from} AS ${target}\n`, stages: [{ layer, target }], contexts: [], secrets: [], buildArgs: {} };
}

function stageName(layer: number): string {
  return `lamina-${layer}`;
}

function lowerStep(step: ResolvedStep, surroundings: PipSurroundings & { readonly context: string }): LoweredStep {
  const { context, user } = surroundings;
  switch (step.kind) {
    case "pipInstall":
      return lowerPipInstall(step, surroundings);
    case "runCommands":
      return lowerRunCommands(step);
    case "aptInstall":
      return lowerAptInstall(step, user);
    case "copyLocalFile":
      return lowerCopyFile(step, context);
    case "copyLocalDir":
      return lowerCopyDirectory(step, context);
    case "env":
      return lowerEnv(step);
    default:
      return lowerWorkdir(step);
  }
}

function distinctContexts(contexts: readonly LoweredContext[]): LoweredContext[] {
  return [...new Map(contexts.map((context) => [context.name, context])).values()];
}
