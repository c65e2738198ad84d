/** Bases: what a name or a Python version means in a workspace. It is asked once, and then kept. */
import { LaminaError } from "@lamina/api";
import { type BaseOperation, Digest, type Platform } from "@lamina/ir";
import { formatReference, parseReference, RegistryError } from "@lamina/registry";
import type { Config } from "../config.ts";
import { type Database, overOutages } from "../database/database.ts";
import type { Registries } from "../registries/registries.ts";
import { type FoundBase, lookUp } from "./look-up.ts";
import type { PythonBases } from "./python-base.ts";

export interface ResolvedBaseImage extends Omit<FoundBase, "host"> {
  /** Null when it lies in the platform's own registry. */
  readonly host: string | null;
  /** `host/repository@digest`. */
  readonly reference: string;
}

export interface BaseRequest {
  readonly workspace: string;
  readonly operation: BaseOperation;
  readonly platform: Platform;
  /** Ask again although the answer is known. */
  readonly pull: boolean;
}

export interface Bases {
  /** @throws {LaminaError} BASE_NOT_FOUND, INVALID_INPUT, REGISTRY_UNAVAILABLE */
  resolve(request: BaseRequest): Promise<ResolvedBaseImage>;
}

export interface BasesOptions {
  readonly database: Database;
  readonly registries: Registries;
  readonly pythonBases: PythonBases;
  readonly config: Pick<Config, "registry">;
}

export function createBases({ database, registries, pythonBases, config }: BasesOptions): Bases {
  const find = async (operation: BaseOperation, platform: Platform): Promise<FoundBase> => {
    if (operation.kind === "debianSlim") return pythonBases.find(operation.pythonVersion, platform);
    return lookUp(registries, parseReference(operation.reference), platform);
  };

  return {
    async resolve({ workspace, operation, platform, pull }) {
      const key = { workspace, reference: nameOf(operation), platform };
      const known = await overOutages(() => database.base.findUnique({ where: { workspace_reference_platform: key } }));
      if (known !== null && !pull) return withReference(fromRow(known), config.registry.host);

      const found = await find(operation, platform).catch((error: unknown) => {
        throw toLaminaError(error, nameOf(operation));
      });
      const { digest, repository, user, bytes } = found;
      const base = { host: found.host === config.registry.host ? null : found.host, repository, digest, user, bytes };
      return withReference(await keep({ database, key, base, replace: pull }), config.registry.host);
    },
  };
}

type KeptBase = Omit<ResolvedBaseImage, "reference">;

interface KeepOptions {
  readonly database: Database;
  readonly key: { readonly workspace: string; readonly reference: string; readonly platform: Platform };
  readonly base: KeptBase;
  readonly replace: boolean;
}

/** Of two that ask for the first time at once, one decides for both. */
async function keep({ database, key, base, replace }: KeepOptions): Promise<KeptBase> {
  const where = { workspace_reference_platform: key };
  return overOutages(async () => {
    if (replace)
      return fromRow(await database.base.upsert({ where, create: { ...key, ...base }, update: { ...base, resolvedAt: new Date() } }));
    await database.base.createMany({ data: [{ ...key, ...base }], skipDuplicates: true });
    return fromRow(await database.base.findUniqueOrThrow({ where }));
  });
}

function fromRow(row: { host: string | null; repository: string; digest: string; user: string; bytes: bigint }): KeptBase {
  const { host, repository, digest, user, bytes } = row;
  return { host, repository, digest: Digest.parse(digest), user, bytes: Number(bytes) };
}

function nameOf(operation: BaseOperation): string {
  return operation.kind === "debianSlim" ? `python:${operation.pythonVersion}-slim` : operation.reference;
}

function withReference(base: KeptBase, ownHost: string): ResolvedBaseImage {
  const { host, repository, digest } = base;
  return { ...base, reference: formatReference({ host: host ?? ownHost, repository, digest }) };
}

function toLaminaError(error: unknown, name: string): unknown {
  if (!(error instanceof RegistryError)) return error;
  switch (error.code) {
    case "INVALID_REFERENCE":
      return new LaminaError({ code: "INVALID_INPUT", message: error.message }, { cause: error });
    case "NOT_FOUND":
    case "NO_SUCH_PLATFORM":
    case "UNAUTHORIZED":
      return new LaminaError({ code: "BASE_NOT_FOUND", message: `The base ${name} cannot be had: ${error.message}.` }, { cause: error });
    default:
      return new LaminaError(
        { code: "REGISTRY_UNAVAILABLE", message: `The base ${name} cannot be looked up: ${error.message}.` },
        { cause: error },
      );
  }
}
