/** Following one feed: from the archive when it has ended, from the stream otherwise. */
import type { Logger } from "@lamina/service";
import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "../database/database.ts";
import { archivedEvents, lastArchivedNumber } from "./archive.ts";
import { isEnd, type NumberedEvent } from "./batch.ts";
import type { Nats } from "./nats.ts";
import { lastStreamedNumber, streamedBatches } from "./stream.ts";

export interface FeedReader {
  /** Each event after that number once, in order, until the last event of the feed or the signal. */
  read(feed: string, after: number, signal: AbortSignal): AsyncGenerator<NumberedEvent>;
  /** The number of the last event that is there now; 0 when there is none, or after the signal. */
  lastNumber(feed: string, signal: AbortSignal): Promise<number>;
}

export interface FeedReaderOptions {
  readonly nats: Nats;
  readonly database: Database;
  readonly logger: Logger;
}

const RETRY_MS = 500;

export function createFeedReader({ nats, database, logger }: FeedReaderOptions): FeedReader {
  const waitToRetry = async (cause: unknown, feed: string, signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return;
    logger.warn({ err: cause, feed }, "a feed cannot be read from the stream; trying again");
    await delay(RETRY_MS, undefined, { signal }).catch(() => {});
  };
  return {
    async *read(feed, after, signal) {
      let seen = after;
      while (!signal.aborted) {
        if ((await lastArchivedNumber(database, feed)) !== undefined) {
          yield* archivedEvents(database, feed, seen);
          return;
        }
        try {
          for await (const item of streamedEvents(nats, feed, signal)) {
            if (item.number > seen + 1) {
              await expectArchived(database, feed);
              break;
            }
            if (item.number > seen) {
              seen = item.number;
              yield item;
            }
            if (isEnd(item.event)) return;
          }
        } catch (error) {
          await waitToRetry(error, feed, signal);
        }
      }
    },
    async lastNumber(feed, signal) {
      while (!signal.aborted) {
        try {
          return (await lastArchivedNumber(database, feed)) ?? (await lastStreamedNumber(nats, feed));
        } catch (error) {
          await waitToRetry(error, feed, signal);
        }
      }
      return 0;
    },
  };
}

/** What is missing in the stream has been archived meanwhile, before it was taken out. */
async function expectArchived(database: Database, feed: string): Promise<void> {
  if ((await lastArchivedNumber(database, feed)) === undefined) throw new Error("The stream has lost events of the feed.");
}

async function* streamedEvents(nats: Nats, feed: string, signal: AbortSignal): AsyncGenerator<NumberedEvent> {
  for await (const { first, events } of streamedBatches(nats, feed, signal)) {
    for (const [index, event] of events.entries()) yield { number: first + index, event };
  }
}
