/**
 * Bases: what a name or a Python version means in a workspace. It is asked once, and then kept.
 *
 * I1: who asks is told of a base only after the registry has shown it for the same credentials (or for none). Of a reference that
 *     is known already to others the digest is theirs, so that it means one image in the workspace.
 */
import { badInput, LaminaError } from "@lamina/api";
import { type BaseOperation, Digest, type Platform, REGISTRY_VARIABLES, SCRATCH } from "@lamina/ir";
import { type Credentials, formatReference, parseReference, RegistryError } from "@lamina/registry";
import type { Config } from "../config.ts";
import { type Database, inWorkspace, overOutages } from "../database/database.ts";
import type { Registries } from "../registries/registries.ts";
import { accessOf } from "./credentials.ts";
import { type FoundBase, lookUp } from "./look-up.ts";
import type { PythonBases } from "./python-base.ts";
import { putScratch } from "./scratch.ts";

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
  /** For the registry of the reference. */
  readonly credentials: Credentials | undefined;
  /** Ask again although the answer is known. */
  readonly pull: boolean;
}

export interface Bases {
  /** @throws {LaminaError} BASE_NOT_FOUND, BASE_UNAUTHORIZED, INVALID_INPUT, REGISTRY_UNAVAILABLE */
  resolve(request: BaseRequest): Promise<ResolvedBaseImage>;
}

export interface BasesOptions {
  readonly database: Database;
  readonly registries: Registries;
  readonly pythonBases: PythonBases;
  /** The repository in the platform's registry that keeps the image without a file. */
  readonly scratchIn: string;
  readonly config: Pick<Config, "registry" | "secretKey">;
}

export function createBases({ database, registries, pythonBases, scratchIn, config }: BasesOptions): Bases {
  const find = async ({ operation, platform, credentials }: BaseRequest): Promise<FoundBase> => {
    if (operation.kind === "debianSlim") return pythonBases.find(operation.pythonVersion, platform);
    if (operation.reference === SCRATCH) {
      return putScratch({ registry: registries.platform, host: config.registry.host, repository: scratchIn }, platform);
    }
    const reference = parseReference(operation.reference);
    return lookUp(registries.of(reference.host, credentials), reference, platform);
  };

  return {
    async resolve(request) {
      const { workspace, operation, platform, credentials, pull } = request;
      const key = { workspace, reference: keyOf(operation), platform, access: accessOf(credentials, config.secretKey) };
      const known = await overOutages(() => database.base.findUnique({ where: { workspace_reference_platform_access: key } }));
      if (known !== null && !pull) return withReference(fromRow(known), config.registry.host);

      const found = await find(request).catch((error: unknown) => {
        throw toLaminaError(error, request);
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
  readonly key: { readonly workspace: string; readonly reference: string; readonly platform: Platform; readonly access: string };
  readonly base: KeptBase;
  readonly replace: boolean;
}

/** Of two that ask for the first time at once, one decides for both. What is replaced has to be asked for anew by others. */
async function keep({ database, key, base, replace }: KeepOptions): Promise<KeptBase> {
  const where = { workspace_reference_platform_access: key };
  const { access, ...name } = key;
  return inWorkspace(database, key.workspace, async (transaction) => {
    if (replace) {
      await transaction.base.deleteMany({ where: { ...name, access: { not: access } } });
      return fromRow(await transaction.base.upsert({ where, create: { ...key, ...base }, update: { ...base, resolvedAt: new Date() } }));
    }
    const others = await transaction.base.findFirst({ where: name, orderBy: { resolvedAt: "asc" } });
    await transaction.base.createMany({ data: [{ ...key, ...(others === null ? base : fromRow(others)) }], skipDuplicates: true });
    return fromRow(await transaction.base.findUniqueOrThrow({ where }));
  });
}

function fromRow(row: { host: string | null; repository: string; digest: string; user: string; bytes: bigint }): KeptBase {
  const { host, repository, digest, user, bytes } = row;
  return { host, repository, digest: Digest.parse(digest), user, bytes: Number(bytes) };
}

/** `debianSlim` may be an image that the platform has made, and is none of a registry's by whatever name. */
function keyOf(operation: BaseOperation): string {
  return operation.kind === "debianSlim" ? `debianSlim ${operation.pythonVersion}` : operation.reference;
}

function nameOf(operation: BaseOperation): string {
  return operation.kind === "debianSlim" ? `python:${operation.pythonVersion}-slim` : operation.reference;
}

function withReference(base: KeptBase, ownHost: string): ResolvedBaseImage {
  const { host, repository, digest } = base;
  return { ...base, reference: formatReference({ host: host ?? ownHost, repository, digest }) };
}

function toLaminaError(error: unknown, { operation, credentials }: BaseRequest): unknown {
  if (!(error instanceof RegistryError)) return error;
  const name = nameOf(operation);
  if (error.code === "UNAUTHORIZED" && operation.kind === "fromRegistry") return unauthorized(error, name, credentials);
  switch (error.code) {
    case "INVALID_REFERENCE":
      return badInput("invalid-reference", error.message, { cause: error });
    case "NOT_FOUND":
    case "NO_SUCH_PLATFORM":
    case "UNAUTHORIZED": {
      const reason = error.code === "NO_SUCH_PLATFORM" ? "base-for-another-platform" : "unknown-base";
      const message = `The base ${name} cannot be had: ${error.message}.`;
      return new LaminaError({ code: "BASE_NOT_FOUND", reason, message }, { cause: error });
    }
    default:
      return new LaminaError(
        { code: "REGISTRY_UNAVAILABLE", message: `The base ${name} cannot be looked up: ${error.message}.` },
        { cause: error },
      );
  }
}

/** Some registries answer so for images that there are not, too. */
function unauthorized(error: RegistryError, name: string, credentials: Credentials | undefined): LaminaError {
  const advice =
    credentials === undefined
      ? `No credentials were given: fromRegistry takes them as its secret, with ${REGISTRY_VARIABLES.join(" and ")}.`
      : "The credentials are those of the secret of fromRegistry.";
  return new LaminaError(
    { code: "BASE_UNAUTHORIZED", message: `The base ${name} may not be read: ${error.message}. ${advice}` },
    { cause: error },
  );
}
