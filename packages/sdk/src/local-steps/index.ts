/** Steps whose local files are read when the image is planned: what is known of them before, and the reading. */
import type { SourceLocation } from "@lamina/api";
import type { StepOperation } from "@lamina/ir";
import { invalidInput } from "../failure.ts";
import { ChangedWhileRead } from "../local/digest.ts";
import { Unsupported } from "../local/walk.ts";
import { copyWithoutFiles, LocalCopy, readCopy } from "./copy.ts";
import type { ReadLocalStep } from "./read.ts";

/** A step with local files that have not been read yet. */
export const LocalStep = LocalCopy;
export type LocalStep = LocalCopy;

export function isLocalStep(step: LocalStep | StepOperation): step is LocalStep {
  return step.kind === "localCopy";
}

/** The operation as far as it is known before its files are read. */
export function withoutFiles(step: LocalStep | StepOperation): StepOperation {
  return isLocalStep(step) ? copyWithoutFiles(step) : step;
}

/** Reads the local files of a step. @throws INVALID_INPUT with the place of its method where they cannot be read */
export async function readLocalStep(
  step: LocalStep,
  { home, source }: { readonly home: string; readonly source: SourceLocation | null },
): Promise<ReadLocalStep> {
  try {
    return await readCopy(step, home);
  } catch (error) {
    const isAboutFiles = error instanceof Unsupported || error instanceof ChangedWhileRead;
    throw isAboutFiles ? invalidInput(`${step.method}: ${error.message}`, source, { cause: error }) : error;
  }
}
