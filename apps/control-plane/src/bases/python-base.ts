/**
 * Where `debianSlim` comes from: the configured base registry; else the platform's registry, where an
 * earlier one was kept; else, where no base registry can be reached, a command that makes one.
 */
import { LaminaError } from "@lamina/api";
import type { Platform } from "@lamina/ir";
import { formatReference, isRegistryError, parseReference, type Reference } from "@lamina/registry";
import type { Logger } from "@lamina/service";
import type { Config } from "../config.ts";
import type { Registries } from "../registries/registries.ts";
import { type FoundBase, lookUp } from "./look-up.ts";
import { makeBase } from "./make-base.ts";

export interface PythonBaseOptions {
  readonly config: Pick<Config, "baseRegistry" | "baseMaker" | "registry">;
  /** The repository in the platform's registry that keeps bases. */
  readonly keptIn: string;
  readonly registries: Registries;
  readonly logger: Logger;
}

export interface PythonBases {
  /** @throws {LaminaError} BASE_NOT_FOUND, which names the versions that can be had; REGISTRY_UNAVAILABLE */
  find(version: string, platform: Platform): Promise<FoundBase>;
}

const REMEMBER_UNREACHABLE_MS = 60_000;

export function createPythonBases(options: PythonBaseOptions): PythonBases {
  const { config, keptIn, registries, logger } = options;
  const inBaseRegistry = (version: string) => parseReference(`${config.baseRegistry}/python:${version}-slim`);
  const kept = (version: string) => parseReference(`${config.registry.host}/${keptIn}:${version}-slim`);
  const lookUpAt = (reference: Reference, platform: Platform) => lookUp(registries.of(reference.host), reference, platform);
  const making = new Map<string, Promise<void>>();
  let unreachable: { readonly until: number; readonly reason: string } | undefined;

  /** Undefined when the registry has none, or cannot be reached, which is remembered for a while. That it refuses is an error. */
  const pull = async (version: string, platform: Platform): Promise<FoundBase | undefined> => {
    if (unreachable !== undefined && performance.now() < unreachable.until) return undefined;
    unreachable = undefined;
    try {
      return await lookUpAt(inBaseRegistry(version), platform);
    } catch (error) {
      if (isRegistryError(error, "NOT_FOUND", "NO_SUCH_PLATFORM")) return undefined;
      if (!isRegistryError(error, "UNREACHABLE")) throw error;
      unreachable = { until: performance.now() + REMEMBER_UNREACHABLE_MS, reason: error.message };
      logger.warn({ err: error }, "the base registry cannot be reached; it is asked again in a minute");
      return undefined;
    }
  };
  const lookUpKept = async (version: string, platform: Platform): Promise<FoundBase | undefined> => {
    try {
      return await lookUpAt(kept(version), platform);
    } catch (error) {
      if (isRegistryError(error, "NOT_FOUND", "NO_SUCH_PLATFORM")) return undefined;
      throw error;
    }
  };
  const make = (version: string, command: readonly [string, ...string[]]): Promise<void> => {
    const target = formatReference(kept(version));
    const made =
      making.get(version) ??
      makeBase({ command, version, target, credentials: config.registry.credentials, logger }).finally(() => making.delete(version));
    making.set(version, made);
    return made;
  };
  const notFound = async (version: string): Promise<LaminaError> => {
    const places = unreachable === undefined ? [inBaseRegistry(version), kept(version)] : [kept(version)];
    const versions = await versionsIn(registries, places);
    const refusal = unreachable === undefined ? "" : ` The base registry ${config.baseRegistry} cannot be used: ${unreachable.reason}.`;
    const others = versions.length === 0 ? "" : ` Those that can be had: ${versions.join(", ")}.`;
    const reason = "unknown-python-version";
    return new LaminaError({
      code: "BASE_NOT_FOUND",
      reason,
      message: `There is no Debian base with Python ${version}.${refusal}${others}`,
    });
  };

  return {
    async find(version, platform) {
      const found = (await pull(version, platform)) ?? (await lookUpKept(version, platform));
      if (found !== undefined) return found;
      if (unreachable === undefined || config.baseMaker === undefined) throw await notFound(version);
      await make(version, config.baseMaker);
      return lookUpAt(kept(version), platform);
    },
  };
}

/** The Python versions with a slim base in these repositories, in order. Repositories that do not answer have none. */
async function versionsIn(registries: Registries, places: readonly Reference[]): Promise<string[]> {
  const versions = new Set<string>();
  for (const { host, repository } of places) {
    try {
      for await (const tag of registries.of(host).repository(repository).tags()) {
        const version = /^(3\.\d+)-slim$/.exec(tag)?.[1];
        if (version !== undefined) versions.add(version);
      }
    } catch (error) {
      if (!isRegistryError(error)) throw error;
    }
  }
  return [...versions].sort((a, b) => Number(a.slice(2)) - Number(b.slice(2)));
}
