import type { ResolvedStep } from "../operation.ts";
import { copyPath } from "./quoting.ts";
import type { LoweredStep } from "./request.ts";

/** A tree of files is staged under `t/`, so that no file in it can be taken for a .dockerignore. */
export function lowerCopyDirectory(step: Extract<ResolvedStep, { kind: "copyLocalDir" }>, context: string): LoweredStep {
  const destination = step.destination.endsWith("/") ? step.destination : `${step.destination}/`;
  return {
    instructions: [copy(context, "t/", destination)],
    contexts: [{ name: context, kind: "directory", tree: step.tree }],
  };
}

/** One file is copied by a pattern that matches nothing else: its name may hold what COPY cannot quote. */
export function lowerCopyFile(step: Extract<ResolvedStep, { kind: "copyLocalFile" }>, context: string): LoweredStep {
  return {
    instructions: [copy(context, "f/*", step.destination)],
    contexts: [{ name: context, kind: "file", tree: step.tree }],
  };
}

function copy(context: string, source: string, destination: string): string {
  return `COPY --from=${context} [${copyPath(source)}, ${copyPath(destination)}]`;
}
