import type { ResolvedStep } from "../operation.ts";
import type { LoweredStep, Surroundings } from "./request.ts";
import { runInstruction } from "./run.ts";

/** Commands run in one shell, as the image's own user. */
export function lowerRunCommands(step: Extract<ResolvedStep, { kind: "runCommands" }>, { gpus }: Surroundings): LoweredStep {
  const { commands, gpu, secrets = [] } = step;
  const variables = secrets.map((id) => ({ id, variable: id }));
  return { instructions: [runInstruction({ commands, shell: "image", gpu, gpus, secrets: variables })], secrets };
}
