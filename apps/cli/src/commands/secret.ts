import { text } from "node:stream/consumers";
import { parseEnv } from "node:util";
import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { badInput, LaminaError } from "lamina";
import { tableIn } from "../view/columns.ts";
import { listedTime } from "../view/text.ts";

export interface SetSecretOptions {
  readonly name: string;
  /** Names of environment variables; when there are none, stdin is read. */
  readonly variables: readonly string[];
  readonly output: Output;
}

/** Keeps a secret. Values come from the environment or stdin, since arguments can be seen by everybody on the machine. */
export async function setSecret({ name, variables, output }: SetSecretOptions): Promise<void> {
  const values = variables.length > 0 ? fromEnvironment(variables) : await fromInput();
  const client = await connect(readConfig(), output);
  await client.secrets.set({ name, variables: values });
  const kept = Object.keys(values).sort();
  output.answer({ type: "secret", name, variables: kept }, `Secret ${name} is kept, with ${kept.join(", ")}.`);
}

/** Lists names, never values. */
export async function listSecrets({ output }: { readonly output: Output }): Promise<void> {
  const client = await connect(readConfig(), output);
  const secrets = await client.secrets.list();
  if (output.json) {
    for (const secret of secrets) output.event({ type: "secret", ...secret });
    return;
  }
  if (secrets.length === 0) return output.note("No secret is kept.");
  const rows = secrets.map((secret) => [secret.name, listedTime(secret.updatedAt, output), secret.variables.join(" ")]);
  for (const line of tableIn([["SECRET", "UPDATED", "VARIABLES"], ...rows], output.columns)) output.result(line);
}

/** Removes a secret. */
export async function removeSecret({ name, output }: { readonly name: string; readonly output: Output }): Promise<void> {
  const client = await connect(readConfig(), output);
  await client.secrets.remove(name);
  output.answer({ type: "secret", name, removed: true }, `Secret ${name} is removed.`);
}

function fromEnvironment(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => {
      // Not repeated in the message, since it holds a value.
      if (name.includes("="))
        throw invalid(
          "Values are not taken from arguments, which everybody on the machine can see. Set the variable and give its name, or send NAME=VALUE lines to stdin.",
        );
      const value = process.env[name];
      if (value === undefined) throw invalid(`The environment variable ${name} is not set.`);
      return [name, value];
    }),
  );
}

/** NAME=VALUE lines, quoted as in a .env file where need be. */
async function fromInput(): Promise<Record<string, string>> {
  if (process.stdin.isTTY) process.stderr.write("NAME=VALUE, one a line; Ctrl-D ends:\n");
  const values = Object.entries(parseEnv(await text(process.stdin))).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  if (values.length === 0) throw invalid("No NAME=VALUE line came from stdin.");
  return Object.fromEntries(values);
}

function invalid(message: string): LaminaError {
  return badInput("invalid-usage", message);
}
