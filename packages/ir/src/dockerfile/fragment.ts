/** The instructions of a step, `dockerfileCommands`, as a whole. */
import type { Fault } from "../definition-error.ts";
import type { ResolvedStep, StepOperation } from "../operation.ts";
import type { TreeEntry } from "../tree.ts";
import { checkVariableSources } from "./copy.ts";
import { withValues } from "./expansion.ts";
import { FragmentError } from "./fragment-error.ts";
import { flagValues } from "./flag-rules.ts";
import { afterInstruction, type Inherited, isPosixShell } from "./inherited.ts";
import { isWritableCache, mountedSecret, mountOf } from "./mount.ts";
import { type Instruction, readInstructions } from "./read.ts";
import { assignedNames } from "./assignments.ts";
import { checkInstruction } from "./rules.ts";
import { checkSources, takesFiles } from "./sources.ts";
import { variablesIn } from "./words.ts";

type Fragment = Pick<Extract<StepOperation | ResolvedStep, { kind: "dockerfileCommands" }>, "commands" | "tree">;

export interface FragmentSurroundings {
  /** The variables of the step's secrets. */
  readonly secrets: readonly string[];
  /** Whether these are all of them. */
  readonly complete: boolean;
  readonly inherited: Inherited;
}

/** Of a command in an image without a file. */
export const NO_SHELL =
  'the image has no /bin/sh, which it needs to run commands: "scratch" has no file, and nothing before brings one. Start from a base that has a shell';

/** What is wrong with the instructions of a step, and where in them. */
export function fragmentFault(fragment: Fragment, surroundings: FragmentSurroundings): Fault | undefined {
  return faultOf(fragment.commands, () => checkFragment(fragment, surroundings));
}

/** What COPY or a bind mount takes and the context lacks, and where; undefined where all is there. */
export function missingSource(commands: readonly string[], entries: readonly TreeEntry[]): Fault | undefined {
  return faultOf(commands, () => checkSources(readInstructions(commands), entries));
}

/** How many layers of files a step adds to an image: one, but for `env`; of instructions each that makes files has its own. */
export function fileLayersOf(step: StepOperation | ResolvedStep): number {
  switch (step.kind) {
    case "env":
      return 0;
    case "workdir":
      return step.path === ROOT ? 0 : 1;
    case "dockerfileCommands":
      return fileInstructions(step.commands).filter(makesLayer).length;
    default:
      return 1;
  }
}

/**
 * The names of the build arguments that the layers below `first` give values to. They hold for the layers above
 * too, and an image does not say them in its configuration.
 */
export function argumentsBelow(steps: readonly (StepOperation | ResolvedStep)[], first: number): string[] {
  const instructions = steps
    .slice(0, first - 1)
    .flatMap((step) => (step.kind === "dockerfileCommands" ? readInstructions(step.commands) : []));
  return [...new Set(instructions.filter(({ keyword }) => keyword === "ARG").flatMap(assignedNames))];
}

export interface NamedInstruction {
  readonly keyword: string;
  /** As its author wrote it, without its flags. */
  readonly text: string;
  /** Where it is, such as `command 2, line 3`. */
  readonly place: string;
}

/** The instruction behind a step of BuildKit, which counts those that make files: `number` of `total` in their stage. */
export function instructionAt(
  commands: readonly string[],
  { number, total }: { readonly number: number; readonly total: number },
): NamedInstruction | undefined {
  const instructions = fileInstructions(commands);
  // The first stage of a Dockerfile counts its FROM too. A WORKDIR that makes nothing has a number that is not used.
  const before = total - instructions.length;
  const instruction = instructions.filter(makesLayer)[number - before - 1];
  return instruction && { keyword: instruction.keyword, text: textOf(instruction), place: placeOf(instruction.place, commands) };
}

function textOf({ keyword, rest, heredocs }: Instruction): string {
  return [`${keyword} ${rest}`, ...heredocs.map(({ content, delimiter }) => `${content}${delimiter}`)].join("\n");
}

/** It is in every image, so that to work there makes nothing. */
const ROOT = "/";

function makesLayer({ keyword, rest }: Instruction): boolean {
  return keyword !== "WORKDIR" || rest !== ROOT;
}

const MAKES_FILES = new Set(["RUN", "COPY", "ADD", "WORKDIR"]);

function fileInstructions(commands: readonly string[]): Instruction[] {
  return readInstructions(commands).filter(({ keyword }) => MAKES_FILES.has(keyword));
}

function faultOf(commands: readonly string[], check: () => void): Fault | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof FragmentError)) throw error;
    return { reason: error.reason, message: `${placeOf(error.place, commands)}: ${error.message}` };
  }
}

function placeOf({ command, line }: FragmentError["place"], commands: readonly string[]): string {
  const hasLines = commands[command - 1]?.trim().includes("\n") === true;
  return hasLines ? `command ${command}, line ${line}` : `command ${command}`;
}

function checkFragment({ commands, tree }: Fragment, { secrets, complete, inherited }: FragmentSurroundings): void {
  let state = inherited;
  for (const instruction of readInstructions(commands)) {
    checkInstruction(instruction);
    checkVariableSources(instruction, state.values);
    const whole = withValues(instruction, state);
    if (whole !== undefined) checkInstruction(whole);
    if (tree === undefined && takesFiles(instruction)) {
      throw new FragmentError(
        instruction.place,
        `${instruction.keyword} takes local files, and there are none: name them in contextFiles`,
        "missing-source",
      );
    }
    if (state.isEmpty && isScript(instruction) && flagValues(instruction.flags, "mount").length === 0) {
      throw new FragmentError(instruction.place, `RUN: ${NO_SHELL}`, "missing-shell");
    }
    checkSecrets(instruction, { secrets, complete });
    if (secrets.length > 0 && isScript(instruction) && !isPosixShell(state.shell)) {
      throw new FragmentError(
        instruction.place,
        `RUN has secrets, and the shell ${JSON.stringify(state.shell)} cannot search what it changes for them: use the list form, as in RUN ["python3", "build.py"]`,
      );
    }
    state = afterInstruction(state, instruction);
  }
}

function isScript({ keyword, json }: Instruction): boolean {
  return keyword === "RUN" && json === undefined;
}

function checkSecrets(instruction: Instruction, { secrets, complete }: Pick<FragmentSurroundings, "secrets" | "complete">): void {
  const { keyword, place, flags, rest, heredocs } = instruction;
  if (keyword === "RUN") {
    const mounts = flagValues(flags, "mount").map(mountOf);
    if ((secrets.length > 0 || !complete) && mounts.some(isWritableCache)) {
      const advice = "what is written there stays on the builder, where it is not searched for them: mount it readonly, or leave it out";
      throw new FragmentError(place, `RUN mounts a cache in a step with secrets, and ${advice}`);
    }
    const mounted = mounts.flatMap((mount) => mountedSecret(mount) ?? []);
    const undeclared = complete ? mounted.find((id) => !id.includes("$") && !secrets.includes(id)) : undefined;
    if (undeclared !== undefined)
      throw new FragmentError(
        place,
        `RUN mounts ${JSON.stringify(undeclared)}, which is no variable of a secret of this step`,
        "undeclared-secret",
      );
    return;
  }
  const text = [rest, ...flags.map(({ value = "" }) => value), ...heredocs.map(({ expands, content }) => (expands ? content : ""))].join(
    "\n",
  );
  const misplaced = variablesIn(text).find((name) => secrets.includes(name));
  if (misplaced !== undefined) {
    throw new FragmentError(
      place,
      `${keyword} names $${misplaced}, a secret, which RUN alone knows: an image would keep it anywhere else`,
      "misplaced-secret",
    );
  }
}
