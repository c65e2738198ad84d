/** The registries that the control plane asks: the platform's own, and those that bases come from. */
import { createRegistry, type Credentials, type Registry } from "@lamina/registry";
import { isLoopback } from "@lamina/service";
import type { Config } from "../config.ts";

export interface Registries {
  /** The platform's own registry, where all that it builds lies. */
  readonly platform: Registry;
  /** A registry by its host, as references name it; with credentials of a user's, or as the platform. */
  of(host: string, credentials?: Credentials): Registry;
}

/** The names of a workspace's repositories in the platform's registry. */
export interface Repositories {
  images(workspace: string): string;
  contexts(workspace: string): string;
  /** Bases that were made on the spot, one tag a Python version. */
  readonly pythonBases: string;
  /** The image without a file. */
  readonly scratch: string;
}

export function createRegistries({ registry }: Pick<Config, "registry">): Registries {
  const platform = createRegistry(registry);
  return {
    platform,
    of(host, credentials) {
      const isOwn = host === registry.host;
      if (isOwn && credentials === undefined) return platform;
      return createRegistry({ host, insecure: isOwn ? registry.insecure : isLoopback(host), credentials });
    },
  };
}

export function repositoriesUnder(prefix: string): Repositories {
  return {
    images: (workspace) => `${prefix}/${workspace}`,
    contexts: (workspace) => `${prefix}/${workspace}/contexts`,
    pythonBases: `${prefix}/bases/python`,
    scratch: `${prefix}/bases/scratch`,
  };
}
