/** Where the values of a definition's secrets come from. */
import { type Definition, type Operation, REGISTRY_VARIABLES, secretsOf } from "@lamina/ir";
import { z } from "zod";

/** For each layer, the base first: the named secret that brings each variable, or null for a value that comes with the request. */
export const SecretSources = z.array(z.record(z.string(), z.string().nullable()));
export type SecretSources = z.infer<typeof SecretSources>;

/** Of two secrets of a step that bring the same variable, the later one counts. */
export function secretSourcesOf(definition: Definition, named: ReadonlyMap<string, readonly string[]>): SecretSources {
  return [sourcesOfBase(definition.base), ...definition.steps.map((step) => sourcesOfStep(step, named))];
}

/** Where the credentials of the base's registry come from; empty for a base that has none. */
function sourcesOfBase(base: Definition["base"]): SecretSources[number] {
  const [secret] = secretsOf(base);
  if (secret === undefined) return {};
  return Object.fromEntries(REGISTRY_VARIABLES.map((variable) => [variable, secret.kind === "inline" ? null : secret.name]));
}

/** The variables whose values have to come with the request. */
export function inlineVariables(sources: SecretSources): string[] {
  const variables = sources.flatMap((layer) => Object.keys(layer).filter((variable) => layer[variable] === null));
  return [...new Set(variables)].sort();
}

/** Whether one builder can hold the values for both: no variable means two different ones. */
export function agree(a: SecretSources[number], b: SecretSources[number]): boolean {
  return Object.keys(a).every((variable) => !(variable in b) || a[variable] === b[variable]);
}

function sourcesOfStep(step: Operation, named: ReadonlyMap<string, readonly string[]>): SecretSources[number] {
  const sources: SecretSources[number] = {};
  for (const reference of secretsOf(step)) {
    const inline = reference.kind === "inline";
    const variables = inline ? reference.variables : (named.get(reference.name) ?? []);
    for (const variable of variables) sources[variable] = inline ? null : reference.name;
  }
  return sources;
}
