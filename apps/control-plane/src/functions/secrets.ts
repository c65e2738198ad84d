/** The values of a function's secrets: inline ones sealed with its version, named ones as they are when a container starts. */
import { LaminaError } from "@lamina/api";
import type { Database, Queryable } from "../database/database.ts";
import { overOutages } from "../database/database.ts";
import type { Sealer } from "../secrets/seal.ts";
import { openSecret } from "../secrets/service.ts";
import { StoredFunction } from "./spec.ts";

/** The row that the inline values of a function version are sealed for. */
export function functionSecretsRow(functionId: string): string {
  return `function ${functionId}`;
}

export interface SecretStore {
  readonly database: Database;
  readonly sealer: Sealer;
}

/**
 * The values by variable, for one container; of two secrets that bring the same variable the later one counts.
 * @throws {LaminaError} NOT_FOUND; SECRET_MISSING for a named secret that was removed since
 */
export async function openFunctionSecrets(
  { database, sealer }: SecretStore,
  { workspace, id }: { readonly workspace: string; readonly id: string },
): Promise<Record<string, string>> {
  const row = await overOutages(() => database.functionVersion.findFirst({ where: { id, workspace, state: { not: "stopped" } } }));
  if (row === null) throw new LaminaError({ code: "NOT_FOUND", message: `There is no function version ${id}, or it is stopped.` });
  const { name, secrets } = StoredFunction.parse(row.spec);
  const inline = row.sealed === null ? {} : sealer.open(functionSecretsRow(id), row.sealed);
  const values: Record<string, string> = {};
  for (const secret of secrets) {
    if (secret.kind === "inline") {
      for (const variable of secret.variables) values[variable] = requireValue(inline[variable], variable, name);
    } else {
      Object.assign(values, await named({ database, sealer, workspace, name: secret.name, functionName: name }));
    }
  }
  return values;
}

interface NamedSecret {
  readonly database: Queryable;
  readonly sealer: Sealer;
  readonly workspace: string;
  readonly name: string;
  readonly functionName: string;
}

async function named({ database, sealer, workspace, name, functionName }: NamedSecret): Promise<Record<string, string>> {
  const values = await overOutages(() => openSecret(database, sealer, { workspace, name }));
  if (values !== undefined) return values;
  const message = `Function ${functionName} uses the secret "${name}", which is not there any more. \`lamina secret set ${name} …\` sets it.`;
  throw new LaminaError({ code: "SECRET_MISSING", message });
}

function requireValue(value: string | undefined, variable: string, functionName: string): string {
  if (value !== undefined) return value;
  const message = `Function ${functionName} uses ${variable}, and no value was deployed with it. Deploy it again.`;
  throw new LaminaError({ code: "SECRET_MISSING", message });
}
