/** What a platform keeps of a feed that has ended. */
import { setTimeout as delay } from "node:timers/promises";
import { zstdDecompressSync } from "node:zlib";
import { Client } from "pg";
import { z } from "zod";

/** All events of a feed, once it is archived, which it is soon after its end. Throws when their numbers have a gap or a repetition. */
export async function archivedEvents(databaseUrl: string, feed: string): Promise<unknown[]> {
  const database = new Client({ connectionString: databaseUrl });
  database.on("error", () => undefined);
  await database.connect();
  try {
    const chunks = await chunksOf(database, feed);
    const events: unknown[] = [];
    for (const { first, last, events: bytes } of chunks) {
      const content = Content.parse(JSON.parse(zstdDecompressSync(bytes).toString()));
      if (first !== events.length + 1) throw new Error(`event ${first} of ${feed} follows event ${events.length}`);
      events.push(...content);
      if (last !== events.length) throw new Error(`events ${first} to ${last} of ${feed} are ${content.length}`);
    }
    return events;
  } finally {
    await database.end();
  }
}

const Content = z.array(z.unknown());

interface Chunk {
  readonly first: number;
  readonly last: number;
  readonly events: Buffer;
}

const WITHIN_MS = 30_000;
const ASK_EVERY_MS = 50;

async function chunksOf(database: Client, feed: string): Promise<readonly Chunk[]> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const query = "SELECT first, last, events FROM event_chunk WHERE feed = $1 ORDER BY first";
    const { rows } = await database.query<Chunk>(query, [feed]);
    if (rows.length > 0) return rows;
    if (performance.now() > deadline) throw new Error(`${feed} is not archived`);
    await delay(ASK_EVERY_MS);
  }
}
