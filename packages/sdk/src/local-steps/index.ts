/** Steps whose local files are read when the image is planned: what is known of them before, and the reading. */
import { badInput, type SourceLocation } from "@lamina/api";
import type { StepOperation } from "@lamina/ir";
import { z } from "zod";
import { ChangedWhileRead } from "../local/digest.ts";
import { Unsupported } from "../local/walk.ts";
import { copyWithoutFiles, LocalCopy, readCopy } from "./copy.ts";
import { functionWithoutFiles, LocalFunction, readFunction } from "./function.ts";
import { instructionsWithoutFiles, LocalInstructions, readInstructions } from "./instructions.ts";
import { LocalPackages, packagesWithoutFiles, readPackages } from "./packages.ts";
import { LocalPoetry, poetryWithoutFiles, readPoetry } from "./poetry.ts";
import type { ReadLocalStep } from "./read.ts";

/** A step with local files that have not been read yet. */
export const LocalStep = z.discriminatedUnion("kind", [LocalCopy, LocalPackages, LocalPoetry, LocalInstructions, LocalFunction]);
export type LocalStep = z.infer<typeof LocalStep>;

const LOCAL_KINDS: ReadonlySet<string> = new Set([
  "localCopy",
  "localPackages",
  "localPoetry",
  "localInstructions",
  "localFunction",
] satisfies LocalStep["kind"][]);

export function isLocalStep(step: LocalStep | StepOperation): step is LocalStep {
  return LOCAL_KINDS.has(step.kind);
}

/** The operation as far as it is known before its files are read. */
export function withoutFiles(step: LocalStep | StepOperation): StepOperation {
  switch (step.kind) {
    case "localCopy":
      return copyWithoutFiles(step);
    case "localPackages":
      return packagesWithoutFiles(step);
    case "localPoetry":
      return poetryWithoutFiles(step);
    case "localInstructions":
      return instructionsWithoutFiles(step);
    case "localFunction":
      return functionWithoutFiles(step);
    default:
      return step;
  }
}

/** Reads the local files of a step. @throws INVALID_INPUT with the place of its method where they cannot be read */
export async function readLocalStep(
  step: LocalStep,
  { home, source }: { readonly home: string; readonly source: SourceLocation | null },
): Promise<ReadLocalStep> {
  try {
    return await readFiles(step, home);
  } catch (error) {
    const isAboutFiles = error instanceof Unsupported || error instanceof ChangedWhileRead;
    throw isAboutFiles ? badInput(error.reason, `${step.method}: ${error.message}`, { source, cause: error }) : error;
  }
}

function readFiles(step: LocalStep, home: string): Promise<ReadLocalStep> {
  switch (step.kind) {
    case "localCopy":
      return readCopy(step, home);
    case "localPackages":
      return readPackages(step, home);
    case "localPoetry":
      return readPoetry(step, home);
    case "localInstructions":
      return readInstructions(step, home);
    case "localFunction":
      return readFunction(step);
  }
}
