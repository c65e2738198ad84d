/** What runners ask: which functions there are to serve, and the secrets of one. */
import type { Services } from "@lamina/api";
import type { Context } from "../context.ts";
import { openFunctionSecrets } from "./secrets.ts";
import { servedFunctions } from "./served.ts";

export function createFunctionsService(context: Context): Services["functions"] {
  return {
    list: ({ workspace }, { pool }) => servedFunctions(context, workspace, pool),
    secrets: ({ workspace }, { id }) => openFunctionSecrets(context, { workspace, id }),
  };
}
