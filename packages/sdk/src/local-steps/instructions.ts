/** `dockerfileCommands` with local files, before they are read. */
import { missingSource, type StepOperation } from "@lamina/ir";
import { z } from "zod";
import { readParts } from "../local/parts.ts";
import { Unsupported } from "../local/walk.ts";
import { LocalPath, NO_TREE, type ReadLocalStep, RunFields } from "./read.ts";

export const LocalInstructions = z.object({
  kind: z.literal("localInstructions"),
  method: z.literal("dockerfileCommands"),
  commands: z.array(z.string()).readonly(),
  /** What is in the context; `place` is its path there. */
  files: z.array(LocalPath.extend({ place: z.string() })).readonly(),
  run: RunFields,
});
export type LocalInstructions = z.infer<typeof LocalInstructions>;

/** The operation, with the digest of no tree. */
export function instructionsWithoutFiles({ commands, run }: LocalInstructions): Extract<StepOperation, { kind: "dockerfileCommands" }> {
  return { kind: "dockerfileCommands", commands: [...commands], tree: NO_TREE, ...run };
}

/** @throws Unsupported for files that cannot be read, and for what an instruction takes and they lack */
export async function readInstructions(step: LocalInstructions, home: string): Promise<ReadLocalStep> {
  const tree = await readParts(step.files, { home });
  const missing = missingSource(step.commands, tree.entries);
  if (missing !== undefined) throw new Unsupported(missing.reason, missing.message);
  return { tree, operation: { ...instructionsWithoutFiles(step), tree: tree.digest } };
}
