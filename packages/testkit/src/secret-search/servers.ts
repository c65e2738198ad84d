/** Searches through what servers answer, whose files may be in forms of their own. */
import { zstdDecompressSync } from "node:zlib";
import type { ServerAddresses } from "@lamina/servers";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Client } from "pg";
import { compressionOf } from "../compression.ts";
import type { Finder } from "./finder.ts";

/** Searches all messages of all streams. */
export async function searchNats({ url, user, password }: ServerAddresses["nats"], finder: Finder): Promise<void> {
  const connection = await connect({ servers: url, user, pass: password });
  try {
    const manager = await jetstreamManager(connection);
    for await (const { config, state } of manager.streams.list()) {
      // A stream that never had a message says 0, which is no message's number.
      for (let seq = Math.max(state.first_seq, 1); seq <= state.last_seq; seq += 1) {
        const message = await manager.streams.getMessage(config.name, { seq });
        if (message !== null) finder.look(`message ${message.subject} of the stream ${config.name}`, Buffer.from(message.data));
      }
    }
  } finally {
    await connection.close();
  }
}

/** Searches all values of all tables; bytes that zstd has compressed are searched decompressed too. */
export async function searchDatabase(url: string, finder: Finder): Promise<void> {
  const database = new Client({ connectionString: url });
  await database.connect();
  try {
    const tables = await database.query<{ name: string }>("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'");
    for (const { name } of tables.rows) {
      const { rows } = await database.query<Record<string, unknown>>(`SELECT * FROM "${name}"`);
      for (const row of rows) for (const [column, value] of Object.entries(row)) searchValue(`${name}.${column}`, value, finder);
    }
  } finally {
    await database.end();
  }
}

function searchValue(column: string, value: unknown, finder: Finder): void {
  const bytes = Buffer.from(value instanceof Uint8Array || typeof value === "string" ? value : JSON.stringify(value));
  finder.look(`the column ${column}`, bytes);
  if (compressionOf(bytes) === "zstd") finder.look(`the column ${column}, decompressed`, zstdDecompressSync(bytes));
}
