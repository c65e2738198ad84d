/** The values that one attempt needs, gathered for the holder of its lease. */
import { LaminaError } from "@lamina/api";
import type { Transaction } from "../database/database.ts";
import type { SecretSources } from "../images/secret-sources.ts";
import type { Sealer } from "./seal.ts";
import { openSecret } from "./service.ts";

/** The row that the values of a build request are sealed for. */
export function buildSecretsRow(build: string): string {
  return `build ${build}`;
}

export interface ValuesRequest {
  readonly workspace: string;
  /** The build whose values are used. */
  readonly build: string;
  /** Of the layers that are made. */
  readonly sources: SecretSources;
}

/** @throws {LaminaError} SECRET_MISSING when a secret was removed, or lost a variable, after the build was asked for */
export async function valuesFor(transaction: Transaction, sealer: Sealer, request: ValuesRequest): Promise<Record<string, string>> {
  const { workspace, build, sources } = request;
  const wanted = sources.flatMap((layer) => Object.entries(layer));
  const values: Record<string, string> = {};
  const opened = new Map<string | null, Record<string, string>>();
  for (const [variable, secret] of wanted) {
    const known = opened.get(secret) ?? (await open(transaction, sealer, { workspace, build, secret }));
    opened.set(secret, known);
    const value = known[variable];
    if (value === undefined) {
      const where = secret === null ? "came with the build" : `secret "${secret}" holds now`;
      throw new LaminaError({
        code: "SECRET_MISSING",
        message: `The build uses ${variable}, and none of the values that ${where} has that name.`,
      });
    }
    values[variable] = value;
  }
  return values;
}

interface OpenRequest {
  readonly workspace: string;
  readonly build: string;
  /** Null for the values that came with the build. */
  readonly secret: string | null;
}

async function open(transaction: Transaction, sealer: Sealer, { workspace, build, secret }: OpenRequest): Promise<Record<string, string>> {
  if (secret !== null) return (await openSecret(transaction, sealer, { workspace, name: secret })) ?? {};
  const row = await transaction.buildSecrets.findUnique({ where: { buildId: build } });
  return row === null ? {} : sealer.open(buildSecretsRow(build), row.sealed);
}
