/** Checks that have to do with instructions of Dockerfiles: in a step, and what those of earlier steps have left. */
import type { Fault } from "./definition-error.ts";
import { fragmentFault, NO_SHELL } from "./dockerfile/fragment.ts";
import { type Inherited, isPosixShell } from "./dockerfile/inherited.ts";
import type { ResolvedStep, StepOperation } from "./operation.ts";

export interface StepSurroundings {
  /** The variables of the step's secrets as far as they are known, and whether that is all of them. */
  readonly secrets: { readonly names: readonly string[]; readonly complete: boolean };
  readonly inherited: Inherited;
}

const RUN_BY_A_SHELL: ReadonlySet<StepOperation["kind"]> = new Set([
  "runCommands",
  "aptInstall",
  "pipInstall",
  "addPythonPackages",
  "poetryInstallFromFile",
  "runFunction",
]);

export function instructionsFault(step: StepOperation | ResolvedStep, { secrets, inherited }: StepSurroundings): Fault | undefined {
  const { shell, user, changed, isEmpty } = inherited;
  if (step.kind === "dockerfileCommands") {
    return fragmentFault(step, { secrets: secrets.names, complete: secrets.complete, inherited });
  }
  if (isEmpty && RUN_BY_A_SHELL.has(step.kind)) return { reason: "missing-shell", message: NO_SHELL };
  switch (step.kind) {
    case "runCommands":
      if (isPosixShell(shell)) return undefined;
      return {
        reason: "unsuitable-shell",
        message: `an earlier SHELL is ${JSON.stringify(shell)}, and commands need a POSIX shell: set SHELL ["/bin/sh", "-c"] again before`,
      };
    case "aptInstall":
    case "pipInstall":
    case "addPythonPackages":
    case "poetryInstallFromFile":
      if (changed === undefined) return undefined;
      return {
        reason: "invalid-instruction",
        message: `it runs as root, and could not go back to the user of an earlier "USER ${user}", since ${changed} has another value by now: write the user out`,
      };
    default:
      return undefined;
  }
}
