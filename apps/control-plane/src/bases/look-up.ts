import { Digest, type Platform } from "@lamina/ir";
import { type Reference, RegistryError } from "@lamina/registry";
import type { Registries } from "../registries/registries.ts";

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

/** Asks the registry that the reference names. Somebody waits for the answer, so it has to come soon. @throws {RegistryError} */
export async function lookUp(registries: Registries, { host, repository, identifier }: Reference, platform: Platform): Promise<FoundBase> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = registries.of(host).repository(repository).resolve(identifier, platform, { signal });
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
