/** The images that instructions take files from, beside the one that they are part of. */
import type { ResolvedStep, StepOperation } from "../operation.ts";
import { flagValues } from "./flag-rules.ts";
import { mountOf } from "./mount.ts";
import { readInstructions } from "./read.ts";

/** Their references, by digest, each once. @throws {FragmentError} for instructions that a check would refuse */
export function imagesCopiedFrom(step: StepOperation | ResolvedStep): string[] {
  if (step.kind !== "dockerfileCommands") return [];
  const named = readInstructions(step.commands).flatMap(({ flags }) => [
    ...flagValues(flags, "from"),
    ...flagValues(flags, "mount").flatMap((mount) => mountOf(mount).options.get("from") ?? []),
  ]);
  return [...new Set(named)];
}
