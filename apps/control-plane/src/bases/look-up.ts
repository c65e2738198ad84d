import type { Digest, Platform } from "@lamina/ir";
import { Digest as DigestSchema } from "@lamina/ir";
import type { Reference } from "@lamina/registry";
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

/** Asks the registry that the reference names. @throws {RegistryError} */
export async function lookUp(registries: Registries, { host, repository, identifier }: Reference, platform: Platform): Promise<FoundBase> {
  const image = await registries.of(host).repository(repository).resolve(identifier, platform);
  return {
    host,
    repository,
    digest: DigestSchema.parse(image.digest),
    user: image.config.user,
    bytes: image.layers.reduce((sum, { size }) => sum + size, 0),
  };
}
