/** Named secrets of a workspace. Values go in and to the holders of leases, and never come out otherwise. */
import { badInput, LaminaError, type Services } from "@lamina/api";
import { isReservedForSecrets, problemOfSecretValue } from "@lamina/ir";
import { type Database, overOutages, type Queryable } from "../database/database.ts";
import type { Sealer } from "./seal.ts";

export interface SecretsOptions {
  readonly database: Database;
  readonly sealer: Sealer;
}

export function createSecretsService({ database, sealer }: SecretsOptions): Services["secrets"] {
  return {
    async set({ workspace }, { name, variables }) {
      const names = Object.keys(variables).sort();
      if (names.length === 0) throw badInput("empty-arguments", `Secret "${name}" needs at least one variable.`);
      checkNames(names);
      checkValues(variables);
      const row = { variables: names, sealed: sealer.seal(rowOf(workspace, name), variables) };
      const key = { workspace, name };
      await overOutages(() =>
        database.secret.upsert({ where: { workspace_name: key }, create: { ...key, ...row }, update: { ...row, updatedAt: new Date() } }),
      );
    },
    async list({ workspace }) {
      const secrets = await overOutages(() => database.secret.findMany({ where: { workspace }, orderBy: { name: "asc" } }));
      return secrets.map(({ name, variables, updatedAt }) => ({ name, variables, updatedAt: updatedAt.toISOString() }));
    },
    async remove({ workspace }, { name }) {
      const { count } = await overOutages(() => database.secret.deleteMany({ where: { workspace, name } }));
      if (count === 0) throw new LaminaError({ code: "NOT_FOUND", message: `There is no secret "${name}".` });
    },
  };
}

/** The variable names of those of these secrets that there are. */
export async function variablesOfSecrets(database: Queryable, workspace: string, names: readonly string[]): Promise<Map<string, string[]>> {
  if (names.length === 0) return new Map();
  const secrets = await database.secret.findMany({
    where: { workspace, name: { in: [...names] } },
    select: { name: true, variables: true },
  });
  return new Map(secrets.map(({ name, variables }) => [name, variables]));
}

/** The values of a named secret, or undefined when it was removed. */
export async function openSecret(
  database: Queryable,
  sealer: Sealer,
  key: { workspace: string; name: string },
): Promise<Record<string, string> | undefined> {
  const secret = await database.secret.findUnique({ where: { workspace_name: key } });
  return secret === null ? undefined : sealer.open(rowOf(key.workspace, key.name), secret.sealed);
}

/** Variables by which a builder's own programs, or the loader of every program, would be changed. @throws {LaminaError} INVALID_INPUT */
export function checkNames(names: readonly string[]): void {
  const reserved = names.find(isReservedForSecrets);
  if (reserved === undefined) return;
  const message = `A secret cannot bring ${reserved}: names that begin with LAMINA_ or LD_, and those by which a system finds programs and runs shells, are reserved. Choose another name.`;
  throw badInput("reserved-variable", message);
}

/** What a builder can hand to a step as an environment variable. @throws {LaminaError} INVALID_INPUT, which names the variable */
export function checkValues(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    const problem = problemOfSecretValue(name, value);
    if (problem !== undefined) throw badInput("invalid-secret-value", `${name}: ${problem}.`);
  }
}

function rowOf(workspace: string, name: string): string {
  return `secret ${workspace}/${name}`;
}
