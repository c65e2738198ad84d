/** What the layers below a segment have left in the image that it starts from, where the definition alone does not say it. */
import type { ClaimedAttempt } from "@lamina/api";
import { argumentsBelow } from "@lamina/ir";
import type { Repository } from "@lamina/registry";
import { argumentIn } from "../buildkit/messages.ts";
import { parentError } from "./layer-images.ts";

export interface Parent {
  readonly user?: string;
  /** Values of build arguments, which hold for later layers though no image has them in its config. */
  readonly args?: Readonly<Record<string, string>>;
}

export interface ParentOptions {
  readonly claimed: ClaimedAttempt;
  /** That of the image. */
  readonly repository: Repository;
  readonly signal: AbortSignal;
}

/** @throws {LaminaError} PARENT_MISSING, REGISTRY_UNAVAILABLE */
export async function readParent({ claimed, repository, signal }: ParentOptions): Promise<Parent> {
  const { definition, from, layers } = claimed;
  const first = Math.min(...layers.map(({ index }) => index));
  const isAsBase = !definition.steps.slice(0, first - 1).some(({ kind }) => kind === "dockerfileCommands");
  if (isAsBase) return from.user === undefined ? {} : { user: from.user };
  const image = await repository.resolve(from.digest, definition.platform, { signal }).catch((error: unknown) => {
    throw parentError(error, signal);
  });
  const names = new Set(argumentsBelow(definition.steps, first));
  // The last value of a name counts.
  const args = image.history.flatMap((step) => {
    const argument = argumentIn(step);
    return argument !== undefined && names.has(argument[0]) ? [argument] : [];
  });
  return { user: image.config.user, args: Object.fromEntries(args) };
}
