/**
 * Feeds that have ended, in Postgres: chunks of a JSON array, compressed. A feed is archived whole, in
 * one transaction, after its end was written to the stream; one that has a chunk has them all.
 */
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { z } from "zod";
import { type Database, overOutages, type Queryable } from "../database/database.ts";
import { type FeedBatch, FeedEvent, isEnd, type NumberedEvent } from "./batch.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const ChunkContent = z.array(FeedEvent);
const CHUNK_EVENTS = 2_000;

/** Keeps the batches of a feed up to its end. A second time it does nothing. */
export async function archiveFeed(database: Database, feed: string, batches: AsyncIterable<FeedBatch>): Promise<void> {
  if ((await lastArchivedNumber(database, feed)) !== undefined) return;
  const chunks = await chunksOf(batches);
  await overOutages(() => database.eventChunk.createMany({ data: chunks.map((chunk) => ({ feed, ...chunk })), skipDuplicates: true }));
}

/** The number of the last event of a feed that is archived; undefined when it is not. */
export async function lastArchivedNumber(database: Queryable, feed: string): Promise<number | undefined> {
  const newest = await overOutages(() =>
    database.eventChunk.findFirst({ where: { feed }, orderBy: { first: "desc" }, select: { last: true } }),
  );
  return newest?.last;
}

/** The events of an archived feed after a number. */
export async function* archivedEvents(database: Database, feed: string, after: number): AsyncGenerator<NumberedEvent> {
  const chunks = await overOutages(() =>
    database.eventChunk.findMany({ where: { feed, last: { gt: after } }, orderBy: { first: "asc" }, select: { first: true } }),
  );
  for (const { first } of chunks) {
    const { events } = await overOutages(() => database.eventChunk.findUniqueOrThrow({ where: { feed_first: { feed, first } } }));
    const content = ChunkContent.parse(JSON.parse((await decompress(events)).toString("utf8")));
    for (const [index, event] of content.entries()) if (first + index > after) yield { number: first + index, event };
  }
}

interface Chunk {
  readonly first: number;
  readonly last: number;
  readonly events: Uint8Array<ArrayBuffer>;
}

async function chunksOf(batches: AsyncIterable<FeedBatch>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  let first = 1;
  let events: FeedEvent[] = [];
  const close = async () => {
    const bytes = new Uint8Array(await compress(JSON.stringify(events)));
    chunks.push({ first, last: first + events.length - 1, events: bytes });
    first += events.length;
    events = [];
  };
  for await (const batch of batches) {
    if (events.length === 0 && chunks.length === 0) first = batch.first;
    events.push(...batch.events);
    const ended = batch.events.some(isEnd);
    if (events.length >= CHUNK_EVENTS || ended) await close();
    if (ended) return chunks;
  }
  throw new Error("The feed could not be read to its end.");
}
