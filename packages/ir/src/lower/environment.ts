import type { ResolvedStep } from "../operation.ts";
import { dockerWord } from "./quoting.ts";
import type { LoweredStep } from "./request.ts";
import { NEWLINE_ARGUMENT } from "./reserved.ts";

/** Variables, exactly as given: nothing in a value is expanded. */
export function lowerEnv(step: Extract<ResolvedStep, { kind: "env" }>): LoweredStep {
  const words = Object.entries(step.variables)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${dockerWord(value)}`);
  return withNewlines(`ENV ${words.join(" \\\n    ")}`, Object.values(step.variables));
}

/** Build arguments, exactly as given. */
export function lowerArguments(values: readonly (readonly [name: string, value: string])[]): LoweredStep {
  const instructions = values.map(([name, value]) => `ARG ${name}=${dockerWord(value)}`);
  const needsNewline = values.some(([, value]) => value.includes("\n"));
  if (!needsNewline) return { instructions };
  return { instructions: [`ARG ${NEWLINE_ARGUMENT}`, ...instructions], buildArgs: { [NEWLINE_ARGUMENT]: "\n" } };
}

/** The working directory, made when it is missing; a relative one starts at the one before. */
export function lowerWorkdir(step: Extract<ResolvedStep, { kind: "workdir" }>): LoweredStep {
  return withNewlines(`WORKDIR ${dockerWord(step.path)}`, [step.path]);
}

/** Declares the newline argument only where it is needed: later RUNs see it too. */
function withNewlines(instruction: string, values: readonly string[]): LoweredStep {
  if (!values.some((value) => value.includes("\n"))) return { instructions: [instruction] };
  return { instructions: [`ARG ${NEWLINE_ARGUMENT}`, instruction], buildArgs: { [NEWLINE_ARGUMENT]: "\n" } };
}
