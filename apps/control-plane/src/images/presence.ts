import type { Logger } from "@lamina/service";
import type { Registries, Repositories } from "../registries/registries.ts";

/** Whether the registry still has the images that records name. */
export interface ImagePresence {
  /** An image that was there a moment ago is not asked for again. A registry that does not answer soon is taken to have it. */
  isThere(workspace: string, digest: string): Promise<boolean>;
}

export interface ImagePresenceOptions {
  readonly registries: Registries;
  readonly repositories: Repositories;
  readonly logger: Logger;
}

const REMEMBER_MS = 5_000;
/** Somebody waits for a plan. */
const TIMEOUT_MS = 2_000;

export function createImagePresence({ registries, repositories, logger }: ImagePresenceOptions): ImagePresence {
  const askedAt = new Map<string, number>();

  const ask = async (workspace: string, digest: string): Promise<boolean> => {
    const repository = registries.platform.repository(repositories.images(workspace));
    try {
      return await repository.hasManifest(digest, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      logger.warn({ err: error, workspace, digest }, "the registry cannot be asked whether it has an image");
      return true;
    }
  };

  return {
    async isThere(workspace, digest) {
      const now = performance.now();
      for (const [image, at] of askedAt) if (now - at > REMEMBER_MS) askedAt.delete(image);
      const image = `${workspace} ${digest}`;
      if (askedAt.has(image)) return true;
      const isThere = await ask(workspace, digest);
      if (isThere) askedAt.set(image, performance.now());
      return isThere;
    },
  };
}
