/** `runFunction` of a Python function before its file is read. */
import type { StepOperation } from "@lamina/ir";
import { z } from "zod";
import { aboutPath } from "../local/problem.ts";
import { readText } from "../local/text.ts";
import { Unsupported } from "../local/walk.ts";
import { LocalPath, type ReadLocalStep, RunFields } from "./read.ts";

export const LocalFunction = z.object({
  kind: z.literal("localFunction"),
  method: z.literal("runFunction"),
  file: LocalPath,
  /** Of the function in the file. */
  name: z.string(),
  args: z.array(z.json()).optional(),
  run: RunFields,
});
export type LocalFunction = z.infer<typeof LocalFunction>;

type RunFunction = Extract<StepOperation, { kind: "runFunction" }>;

/** The operation with another source. */
export function functionWithoutFiles(step: LocalFunction): RunFunction {
  return operationOf(step, `def ${step.name}(): ...`);
}

export async function readFunction(step: LocalFunction): Promise<ReadLocalStep> {
  const source = await aboutPath(step.file, () => readText(step.file.path));
  if (!new RegExp(`^(async )?def ${step.name}\\b|^${step.name}\\b.*=`, "m").test(source)) {
    throw new Unsupported("invalid-function", `"${step.file.given}" defines no function ${step.name}`);
  }
  return { operation: operationOf(step, source) };
}

function operationOf({ name, args, run }: LocalFunction, source: string): RunFunction {
  return { kind: "runFunction", language: "python", name, source, ...(args !== undefined && { args }), ...run };
}
