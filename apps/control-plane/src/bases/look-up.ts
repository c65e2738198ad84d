import { Digest, type Platform } from "@lamina/ir";
import { type Reference, type Registry, RegistryError } from "@lamina/registry";

/** The image that a base's name means on one platform. */
export interface FoundBase {
  readonly host: string;
  readonly repository: string;
  readonly digest: Digest;
  /** The user that its config names; empty for root. */
  readonly user: string;
  /** The compressed size of its layers. */
  readonly bytes: number;
}

/** Asks the registry of the reference's host. Somebody waits for the answer, so it has to come soon. @throws {RegistryError} */
export async function lookUp(registry: Registry, { host, repository, identifier }: Reference, platform: Platform): Promise<FoundBase> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = registry.repository(repository).resolve(identifier, platform, { signal });
  const image = await answer.catch((error: unknown) => {
    throw signal.aborted
      ? new RegistryError("UNREACHABLE", `${host} did not answer within ${TIMEOUT_MS / 1000} s`, { cause: error })
      : error;
  });
  return {
    host,
    repository,
    digest: Digest.parse(image.digest),
    user: image.config.user,
    bytes: image.layers.reduce((sum, { size }) => sum + size, 0),
  };
}

const TIMEOUT_MS = 8_000;
