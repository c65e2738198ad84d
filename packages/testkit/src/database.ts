import type { ServerAddresses } from "@lamina/servers";
import { Client } from "pg";
import { servers } from "./client.ts";
import { freshNamespace } from "./namespace.ts";

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/**
 * An empty database of the caller's own. Use it by `await using`: it is dropped at the end of the scope.
 * @param given the server; that of the test run by default
 */
export async function freshDatabase(given?: ServerAddresses["postgres"]): Promise<TestDatabase> {
  const postgres = given ?? (await servers()).postgres;
  const name = freshNamespace("test_");
  await asAdministrator(postgres.url, `create database "${name}"`);
  const url = new URL(postgres.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => asAdministrator(postgres.url, `drop database if exists "${name}" with (force)`),
  };
}

async function asAdministrator(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
