/** A function version's specification, as its row keeps it. */
import { DeployedFunction, type FunctionSpec } from "@lamina/api";
import type { z } from "zod";

export const StoredFunction = DeployedFunction;
export type StoredFunction = z.output<typeof DeployedFunction>;
export type SecretsOfFunction = StoredFunction["secrets"];

/** The part of it that runners serve by. */
export function servedPart({ image: _image, parameters: _parameters, secrets: _secrets, ...spec }: StoredFunction): FunctionSpec {
  return spec;
}
