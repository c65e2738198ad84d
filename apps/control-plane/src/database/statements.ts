/**
 * The few statements by which calls start and end, over Postgres' own client: they run thousands of times a second, stay prepared, and wait
 * behind no transaction.
 */
import type { Logger } from "@lamina/service";
import { hash } from "node:crypto";
import { Pool, type QueryResultRow } from "pg";
import { CONNECT_MS } from "./database.ts";
import type { Prisma } from "../generated/client.ts";

export interface Statements extends AsyncDisposable {
  /** Runs a statement by itself, and gives its rows. The same text is prepared once a connection, so values are no part of it. */
  rows<Row extends QueryResultRow>(statement: Prisma.Sql): Promise<Row[]>;
}

export interface StatementsOptions {
  /** At most so many at once. */
  readonly connections: number;
  readonly logger: Logger;
}

export function connectStatements(url: string, { connections, logger }: StatementsOptions): Statements {
  const pool = new Pool({ connectionString: url, max: connections, connectionTimeoutMillis: CONNECT_MS });
  // The next statement gets another connection.
  pool.on("error", (error) => logger.debug({ err: error }, "a connection to Postgres that was not in use has ended"));
  const names = new Map<string, string>();
  const nameOf = (text: string): string => {
    const name = names.get(text) ?? `lamina_${hash("sha256", text).slice(0, 32)}`;
    names.set(text, name);
    return name;
  };
  return {
    async rows<Row extends QueryResultRow>({ text, values }: Prisma.Sql): Promise<Row[]> {
      const { rows } = await pool.query<Row>({ name: nameOf(text), text, values });
      return rows;
    },
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
