import type { Services } from "@lamina/api";
import type { Context } from "../context.ts";
import { commitTree, missingFiles } from "./trees.ts";

export function createContextsService(context: Context): Services["contexts"] {
  return {
    missingFiles: ({ workspace }, { files }) => missingFiles(context.database, workspace, files),
    commitTree: ({ workspace }, { entries }) => commitTree(context, workspace, entries),
  };
}
