/**
 * What instructions copy of their context has to be in it. The SDK for TypeScript knows that before it sends anything; one without the
 * grammar of Dockerfiles does not, and its user should not wait for the layers below to hear of it.
 */
import { LaminaError, type SourceLocation } from "@lamina/api";
import { type Digest, missingSource, type ResolvedStep, type TreeEntry } from "@lamina/ir";
import { isRegistryError, type Repository } from "@lamina/registry";
import { readEntries } from "@lamina/service";
import type { Context } from "../context.ts";

export interface InstructionsToMake {
  readonly steps: readonly ResolvedStep[];
  /** The layer that is the first to be made, counted with the base as 0. */
  readonly from: number;
  /** Where each layer's method was called, the base first. */
  readonly sources: readonly (SourceLocation | null)[];
}

/** A tree that the registry does not give now is left to the builder. @throws {LaminaError} INVALID_INPUT */
export async function requireSources(
  { registries, repositories }: Pick<Context, "registries" | "repositories">,
  workspace: string,
  { steps, from, sources }: InstructionsToMake,
): Promise<void> {
  const repository = registries.platform.repository(repositories.contexts(workspace));
  for (const [index, step] of steps.entries()) {
    const layer = index + 1;
    if (layer < from || step.kind !== "dockerfileCommands" || step.tree === undefined) continue;
    const entries = await entriesOf(repository, step.tree);
    const fault = entries === undefined ? undefined : missingSource(step.commands, entries);
    if (fault === undefined) continue;
    const message = `Step ${layer}, dockerfileCommands: ${fault.message}.`;
    throw new LaminaError({ code: "INVALID_INPUT", reason: fault.reason, message, source: sources[layer] ?? undefined });
  }
}

/** Somebody waits for the answer. */
const TIMEOUT_MS = 8_000;

async function entriesOf(repository: Repository, tree: Digest): Promise<readonly TreeEntry[] | undefined> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await readEntries(tree, { repository, signal });
  } catch (error) {
    if (signal.aborted || isRegistryError(error)) return undefined;
    throw error;
  }
}
