import { VariableName } from "@lamina/ir";
import { z } from "zod";
import { fault } from "./failure.ts";

/** The name of an environment variable. */
export const Variable = z
  .string()
  .refine(
    (name) => VariableName.safeParse(name).success,
    fault("invalid-variable-name", "a variable's name is letters, digits and _, and does not begin with a digit"),
  );
