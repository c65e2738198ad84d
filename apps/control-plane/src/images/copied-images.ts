/**
 * The images that steps copy from, by digest. BuildKit gives what it holds by a digest to whoever names it, also what was pulled
 * with the credentials of another, so their registries are asked first, without credentials.
 */
import { LaminaError, type SourceLocation } from "@lamina/api";
import { imagesCopiedFrom, type ResolvedStep } from "@lamina/ir";
import { isRegistryError, parseReference } from "@lamina/registry";
import type { Registries } from "../registries/registries.ts";

export interface StepsToMake {
  readonly steps: readonly ResolvedStep[];
  /** The layer that is the first to be made, counted with the base as 0. */
  readonly from: number;
  /** Where each layer's method was called, the base first. */
  readonly sources: readonly (SourceLocation | null)[];
}

/** Somebody waits for the answer. */
const TIMEOUT_MS = 8_000;

/**
 * A registry that does not answer is taken to have the image, which BuildKit may hold.
 * @throws {LaminaError} BASE_NOT_FOUND, BASE_UNAUTHORIZED
 */
export async function requireCopiedImages(registries: Registries, { steps, from, sources }: StepsToMake): Promise<void> {
  const named = steps.flatMap((step, index) =>
    index + 1 < from ? [] : imagesCopiedFrom(step).map((image) => ({ image, layer: index + 1 })),
  );
  await Promise.all(
    named.map(async ({ image, layer }) => {
      const problem = await problemOf(registries, image);
      if (problem === undefined) return;
      throw new LaminaError({ ...problem, message: `Step ${layer}, ${problem.message}`, source: sources[layer] ?? undefined });
    }),
  );
}

async function problemOf(
  registries: Registries,
  image: string,
): Promise<Pick<LaminaError["info"], "code" | "reason" | "message"> | undefined> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const { host, repository, identifier } = parseReference(image);
    const isThere = await registries.of(host).repository(repository).hasManifest(identifier, { signal });
    return isThere
      ? undefined
      : { code: "BASE_NOT_FOUND", reason: "unknown-base", message: `dockerfileCommands: there is no image ${image}.` };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!isRegistryError(error)) throw error;
    if (error.code === "INVALID_REFERENCE")
      return { code: "INVALID_INPUT", reason: "invalid-reference", message: `dockerfileCommands: ${error.message}.` };
    if (error.code !== "UNAUTHORIZED") return undefined;
    const advice =
      "Instructions copy from images that anybody may read; what is private can be started from, by fromRegistry with a secret.";
    return { code: "BASE_UNAUTHORIZED", message: `dockerfileCommands: the image ${image} may not be read: ${error.message}. ${advice}` };
  }
}
