/** A plan request with everything that the outside decides filled in. */
import { badInput, LaminaError, type PlanInput, type SourceLocation } from "@lamina/api";
import {
  checkDefinition,
  type Definition,
  DefinitionError,
  layersOf,
  type Platform,
  resolveDefinition,
  type ResolvedDefinition,
  secretNamesOf,
  secretsOf,
} from "@lamina/ir";
import type { z } from "zod";
import type { Bases, ResolvedBaseImage } from "../bases/bases.ts";
import { registryCredentials } from "../bases/credentials.ts";
import type { Config } from "../config.ts";
import { type Database, overOutages } from "../database/database.ts";
import type { Sealer } from "../secrets/seal.ts";
import { variablesOfSecrets } from "../secrets/service.ts";
import { type SecretSources, secretSourcesOf } from "./secret-sources.ts";

export interface ResolvedRequest {
  readonly workspace: string;
  readonly asWritten: Definition;
  readonly definition: ResolvedDefinition;
  /** Layer ids, the base first. */
  readonly layers: readonly string[];
  /** The id of the last layer. */
  readonly image: string;
  readonly base: ResolvedBaseImage;
  readonly secretSources: SecretSources;
  readonly forcedFrom: number | null;
}

export interface ResolveOptions {
  readonly database: Database;
  readonly bases: Bases;
  readonly sealer: Sealer;
  readonly config: Pick<Config, "platform">;
}

type DefinitionRequest = z.output<typeof PlanInput>;

/** @throws {LaminaError} INVALID_INPUT, UNKNOWN_BUILDER_VERSION, BASE_NOT_FOUND, BASE_UNAUTHORIZED, SECRET_MISSING */
export async function resolveRequest(options: ResolveOptions, workspace: string, input: DefinitionRequest): Promise<ResolvedRequest> {
  const { database, config } = options;
  const { definition: asWritten, sources } = input;
  requireBuildable(asWritten, sources);
  const platform = asWritten.platform ?? config.platform;
  const secrets = await overOutages(() => variablesOfSecrets(database, workspace, secretNamesOf(asWritten)));
  requireSecrets(asWritten, secrets, sources);
  const base = await resolveBase(options, { workspace, base: asWritten.base, platform, input }).catch((error: unknown) => {
    throw placed(error, sources?.[0]);
  });
  const definition = resolveDefinition(asWritten, { platform, baseDigest: base.digest, secrets });
  requireBuildable(definition, sources);
  const layers = layersOf(definition).map(({ id }) => id);
  return {
    workspace,
    asWritten,
    definition,
    layers,
    image: layers.at(-1) ?? "",
    base,
    secretSources: secretSourcesOf(asWritten, secrets),
    forcedFrom: forcedFromOf(input.forcedFrom, layers.length),
  };
}

interface BaseToResolve {
  readonly workspace: string;
  readonly base: Definition["base"];
  readonly platform: Platform;
  readonly input: DefinitionRequest;
}

async function resolveBase(options: ResolveOptions, { workspace, base, platform, input }: BaseToResolve): Promise<ResolvedBaseImage> {
  const credentials = await registryCredentials(options, { workspace, base, given: input.secrets });
  return options.bases.resolve({ workspace, operation: base, platform, credentials, pull: input.pull });
}

/** @param sources where each layer's method was called, as far as that is known */
function requireBuildable(definition: Definition | ResolvedDefinition, sources: DefinitionRequest["sources"]): void {
  try {
    checkDefinition(definition);
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    const { reason } = error;
    const code = reason === "unknown-builder-version" ? "UNKNOWN_BUILDER_VERSION" : "INVALID_INPUT";
    const layer = error.step === undefined ? 0 : error.step + 1;
    const message = layer === 0 ? `The definition cannot be built: ${error.message}.` : `Step ${layer}, ${error.message}.`;
    throw new LaminaError({ code, reason, message, source: sources?.[layer] ?? undefined });
  }
}

/** @throws {LaminaError} SECRET_MISSING, where the first method is that names a secret which is not kept */
function requireSecrets(
  definition: Definition,
  secrets: ReadonlyMap<string, readonly string[]>,
  sources: DefinitionRequest["sources"],
): void {
  for (const [layer, operation] of [definition.base, ...definition.steps].entries()) {
    const names = secretsOf(operation).flatMap((secret) => (secret.kind === "named" ? [secret.name] : []));
    const missing = names.filter((name) => !secrets.has(name));
    if (missing.length === 0) continue;
    const message = `There is no secret ${missing.map((name) => `"${name}"`).join(", ")}. Set it with "lamina secret set ${missing[0]}".`;
    throw new LaminaError({ code: "SECRET_MISSING", reason: "unknown-secret", message, source: sources?.[layer] ?? undefined });
  }
}

/** The error with where the method of the layer was called that it concerns. */
function placed(error: unknown, source: SourceLocation | null | undefined): unknown {
  if (!(error instanceof LaminaError) || source === undefined || source === null) return error;
  return new LaminaError({ ...error.info, source }, { cause: error });
}

/** A base is never made, so forcing it forces what comes after it. */
function forcedFromOf(forcedFrom: number | undefined, layers: number): number | null {
  if (forcedFrom === undefined) return null;
  if (forcedFrom >= layers) {
    throw badInput("invalid-request", `Layer ${forcedFrom} cannot be forced: the image has layers 0 to ${layers - 1}.`);
  }
  return layers === 1 ? null : Math.max(forcedFrom, 1);
}
