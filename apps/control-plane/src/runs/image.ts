/** Which image a run was asked for. */
import { type ImageLocation, badInput, LaminaError } from "@lamina/api";
import { Digest } from "@lamina/ir";
import { isRegistryError, parseReference } from "@lamina/registry";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import type { Build } from "../generated/client.ts";
import { SecretSources } from "../images/secret-sources.ts";

type ImageContext = Pick<Context, "config" | "database" | "repositories">;

/**
 * Finds an image of the workspace by its id, or by a reference with a digest.
 * @throws {LaminaError} NOT_FOUND, INVALID_INPUT
 */
export async function findImage(context: ImageContext, workspace: string, image: string): Promise<ImageLocation> {
  const found = /^[0-9a-f]{64}$/.test(image)
    ? await byId(context, workspace, image)
    : await byDigest(context, workspace, digestOfReference(image));
  if (found !== undefined) return found;
  throw new LaminaError({
    code: "NOT_FOUND",
    message: `There is no image ${image} in this workspace. "lamina images" lists those that are there.`,
  });
}

/** The newest record of the layer; an image that is its base has none, and is known by its build. */
async function byId({ database, repositories }: ImageContext, workspace: string, layer: string): Promise<ImageLocation | undefined> {
  const record = await overOutages(() => database.record.findFirst({ where: { workspace, layer }, orderBy: { id: "desc" } }));
  if (record !== null) return { repository: repositories.images(workspace), digest: Digest.parse(record.digest) };
  return locationOfBase(
    await overOutages(() =>
      database.build.findFirst({ where: { workspace, image: layer, state: "done", record: null }, orderBy: { id: "desc" } }),
    ),
  );
}

async function byDigest({ database, repositories }: ImageContext, workspace: string, digest: Digest): Promise<ImageLocation | undefined> {
  const record = await overOutages(() => database.record.findFirst({ where: { workspace, digest } }));
  if (record !== null) return { repository: repositories.images(workspace), digest };
  return locationOfBase(await overOutages(() => database.build.findFirst({ where: { workspace, digest, state: "done", record: null } })));
}

type BuildOfBase = Pick<Build, "baseHost" | "baseRepository" | "baseDigest" | "variableSources">;

/** @throws {LaminaError} INVALID_INPUT for a base of a private registry: its credentials went with the build. */
function locationOfBase(build: BuildOfBase | null): ImageLocation | undefined {
  if (build === null) return undefined;
  const [sources = {}] = SecretSources.parse(build.variableSources);
  if (build.baseHost !== null && Object.keys(sources).length > 0) {
    const message =
      "This image is a base of a private registry and nothing else, and a run has no credentials for that. " +
      "Add a step to it, such as env: what is built lies in the platform's registry.";
    throw badInput("invalid-usage", message);
  }
  return { host: build.baseHost ?? undefined, repository: build.baseRepository, digest: Digest.parse(build.baseDigest) };
}

function digestOfReference(image: string): Digest {
  try {
    const { digest } = parseReference(image);
    if (digest !== undefined) return Digest.parse(digest);
  } catch (error) {
    if (!isRegistryError(error)) throw error;
  }
  throw badInput("invalid-usage", `"${image}" is neither an image id nor a reference with a digest.`);
}
