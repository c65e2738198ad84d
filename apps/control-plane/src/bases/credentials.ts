/** The credentials of a base's registry, from the secret that the base names. */
import { LaminaError } from "@lamina/api";
import { type BaseOperation, REGISTRY_VARIABLES } from "@lamina/ir";
import type { Credentials } from "@lamina/registry";
import { createHmac } from "node:crypto";
import { type Database, overOutages } from "../database/database.ts";
import type { Sealer } from "../secrets/seal.ts";
import { openSecret } from "../secrets/service.ts";

export interface CredentialsRequest {
  readonly workspace: string;
  readonly base: BaseOperation;
  /** Values of inline secrets, which came with the request. */
  readonly given: Readonly<Record<string, string>>;
}

export interface SecretStore {
  readonly database: Database;
  readonly sealer: Sealer;
}

/** Undefined for a base without a secret. @throws {LaminaError} SECRET_MISSING, which names the variable that the secret does not bring */
export async function registryCredentials(store: SecretStore, request: CredentialsRequest): Promise<Credentials | undefined> {
  const { workspace, base, given } = request;
  if (base.kind !== "fromRegistry" || base.secret === undefined) return undefined;
  const { secret } = base;
  const values =
    secret.kind === "inline"
      ? given
      : ((await overOutages(() => openSecret(store.database, store.sealer, { workspace, name: secret.name }))) ?? {});
  return credentialsIn(values, secret.kind === "inline" ? "The secret" : `The secret "${secret.name}"`);
}

/** @param secret names what holds the values, at the beginning of a sentence */
export function credentialsIn(values: Readonly<Record<string, string>>, secret: string): Credentials {
  const [username, password] = REGISTRY_VARIABLES.map((name) => values[name]);
  if (username !== undefined && password !== undefined) return { username, password };
  const missing = REGISTRY_VARIABLES.filter((name) => values[name] === undefined).join(" and ");
  throw new LaminaError({
    code: "SECRET_MISSING",
    reason: "incomplete-secret",
    message: `${secret} of fromRegistry has no ${missing}; it has to bring ${REGISTRY_VARIABLES.join(" and ")}.`,
  });
}

/**
 * Names credentials without telling them, so that what was resolved with some is found again with the same alone.
 * Nobody who reads the database can try passwords on it, since it is made with the platform's key. Empty without credentials.
 */
export function accessOf(credentials: Credentials | undefined, key: Uint8Array): string {
  if (credentials === undefined) return "";
  const { username, password } = credentials;
  return createHmac("sha256", key)
    .update(JSON.stringify(["access to a base", username, password]))
    .digest("hex");
}
