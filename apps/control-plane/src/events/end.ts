import { appendToFeed, FeedFencedError, type Logger, readFeedTail } from "@lamina/service";
import type { Database } from "../database/database.ts";
import { archiveFeed } from "./archive.ts";
import { type FeedEnd, isEnd, lastNumberOf, parseBatch } from "./batch.ts";
import type { Nats } from "./nats.ts";
import { streamedBatches } from "./stream.ts";

export interface EndFeedOptions {
  readonly nats: Nats;
  readonly database: Database;
  readonly logger: Logger;
  readonly feed: string;
  readonly event: FeedEnd;
  /** The same each time that this end is tried. */
  readonly id: string;
}

/**
 * Writes the last event of a feed, unless it has one, and moves the feed to the archive. Each batch is
 * published after the one that was seen last, so from here on nobody else can write to the feed: the last
 * one stays in the stream for a day.
 */
export async function endFeed(options: EndFeedOptions): Promise<void> {
  const { nats, database, feed } = options;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  while (!(await appendEnd(options, signal)));
  await archiveFeed(database, feed, streamedBatches(nats, feed, signal));
  const { stream, subject } = nats.catalogue.events;
  await nats.manager.streams.purge(stream, { filter: subject(feed), keep: 1 });
}

const TIMEOUT_MS = 60_000;

/** @returns whether the feed has its end; false when its writer was quicker. */
async function appendEnd({ nats, logger, feed, event, id }: EndFeedOptions, signal: AbortSignal): Promise<boolean> {
  const { client, manager, catalogue } = nats;
  const { stream } = catalogue.events;
  const subject = catalogue.events.subject(feed);
  const tail = await readFeedTail(manager, { stream, subject });
  const last = tail === undefined ? undefined : parseBatch(tail.data);
  if (last?.events.some(isEnd)) return true;
  const batch = { first: last === undefined ? 1 : lastNumberOf(last) + 1, events: [event] };
  try {
    await appendToFeed(JSON.stringify(batch), {
      client,
      manager,
      stream,
      subject,
      writer: `end ${id}`,
      seconds: catalogue.events.endSeconds,
      after: tail?.sequence ?? 0,
      signal,
      onRetry: (error) => logger.warn({ err: error, feed }, "the end of a feed could not be written; trying again"),
    });
    return true;
  } catch (error) {
    if (error instanceof FeedFencedError) return false;
    throw error;
  }
}
