/** What steps leave to the layers after them, beside files and variables: the user, the shell, and whether there can be one. */
import { SCRATCH } from "../image-reference.ts";
import type { Definition, ResolvedDefinition, ResolvedStep, StepOperation } from "../operation.ts";
import { type Instruction, readInstructions } from "./read.ts";
import { assignedNames } from "./assignments.ts";
import { afterValues, NO_VALUES, type Values } from "./values.ts";
import { variablesIn } from "./words.ts";

export interface Inherited {
  /** As it is written after USER; undefined where no USER was. */
  readonly user: string | undefined;
  /** A variable of the user that has another value by now. */
  readonly changed: string | undefined;
  /** What SHELL says; undefined where no SHELL was. */
  readonly shell: readonly string[] | undefined;
  readonly values: Values;
  /** Whether these are all, those of the base included. */
  readonly isBaseKnown: boolean;
  /** Whether the image is without a file for certain, so without a shell. */
  readonly isEmpty: boolean;
}

export const NOTHING_INHERITED: Inherited = {
  user: undefined,
  changed: undefined,
  shell: undefined,
  values: NO_VALUES,
  isBaseKnown: false,
  isEmpty: false,
};

/** What a base leaves to the layers on it, as its author wrote it; of another's image nothing is known. */
export function inheritedFrom(base: (Definition | ResolvedDefinition)["base"]): Inherited {
  const isEmpty = base.kind === "fromRegistry" && base.reference === SCRATCH;
  if (base.kind !== "debianSlim" && !isEmpty) return NOTHING_INHERITED;
  return { ...NOTHING_INHERITED, isEmpty, isBaseKnown: true, values: NO_VALUES.with(VARIABLES_OF_PYTHON.map((name) => [name, undefined])) };
}

/** Those of the images that Docker makes of Python, of ours, and of an image without a file. */
const VARIABLES_OF_PYTHON = [
  "PATH",
  "LANG",
  "GPG_KEY",
  "PYTHON_VERSION",
  "PYTHON_SHA256",
  "PYTHON_PIP_VERSION",
  "PYTHON_SETUPTOOLS_VERSION",
  "PYTHON_GET_PIP_URL",
  "PYTHON_GET_PIP_SHA256",
] as const;

/** The state after a step. */
export function afterStep(before: Inherited, step: StepOperation | ResolvedStep): Inherited {
  if (step.kind === "env") {
    return { ...afterAssignments(before, Object.keys(step.variables)), values: before.values.with(Object.entries(step.variables)) };
  }
  if (step.kind === "copyLocalFile" || step.kind === "copyLocalDir") return { ...before, isEmpty: false };
  if (step.kind !== "dockerfileCommands") return before;
  return readInstructions(step.commands).reduce(afterInstruction, before);
}

export function afterInstruction(before: Inherited, instruction: Instruction): Inherited {
  switch (instruction.keyword) {
    case "USER":
      return { ...before, user: instruction.rest, changed: undefined };
    case "SHELL":
      return { ...before, shell: instruction.json };
    case "ENV":
    case "ARG":
      return { ...afterAssignments(before, assignedNames(instruction)), values: afterValues(before.values, instruction) };
    case "COPY":
    case "ADD":
    case "RUN":
      return { ...before, isEmpty: false };
    default:
      return before;
  }
}

/** Whether a SHELL runs the scripts of the platform. One that is not known by name is taken for another. */
export function isPosixShell(shell: readonly string[] | undefined): boolean {
  return shell === undefined || shell.some((word) => POSIX_SHELLS.has(word.split("/").at(-1) ?? ""));
}

const POSIX_SHELLS = new Set(["sh", "bash", "dash", "ash", "ksh", "mksh", "busybox"]);

function afterAssignments(before: Inherited, names: readonly string[]): Inherited {
  if (before.user === undefined || before.changed !== undefined) return before;
  const used = variablesIn(before.user);
  return { ...before, changed: names.find((name) => used.includes(name)) };
}
