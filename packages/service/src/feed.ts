/**
 * Writing a feed: the numbered events of one attempt or run, on one subject.
 *
 * I1: events are numbered from 1 without gaps, in the order in which they were written.
 * I2: each batch is published with the subject's expected last sequence, so only the one whose own
 *     batch is the last can write. Somebody else's batch there means: fenced.
 * I3: one publish is under way at a time. When it is unknown whether it arrived, the last message
 *     of the subject tells; it is published again only when that message is the one before it.
 */
import { JetStreamApiError, type JetStreamManager, type JetStreamClient, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { headers, type NatsConnection } from "@nats-io/transport-node";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "./logger.ts";

export interface FeedWriterOptions {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly subject: string;
  readonly logger: Logger;
  /** Called once when somebody else has written to the feed; nothing is published from then on. */
  readonly onFenced: () => void;
}

export interface FeedWriter<Event> {
  /**
   * Takes an event. Resolves at once while there is room, and otherwise when there is again, so
   * whoever waits for it before the next event needs no more memory while NATS is away.
   */
  write(event: Event): Promise<void>;
  /** Resolves when all that was taken is in the stream. @throws {FeedFencedError} */
  flush(): Promise<void>;
  /** Gives up what is not yet in the stream. */
  abandon(): void;
}

/** Somebody else wrote to the feed: its writer lost the lease. */
export class FeedFencedError extends Error {
  override readonly name = "FeedFencedError";
}

/** The last message of a feed's subject: what the next batch is numbered and published after. */
export interface FeedTail {
  /** Of the message in the stream. */
  readonly sequence: number;
  readonly writer: string | undefined;
  /** The batch, as JSON. */
  readonly data: string;
}

/** A header of every batch, by which a writer knows its own. */
const WRITER_HEADER = "Lamina-Writer";
const FLUSH_AFTER_MS = 10;
const BATCH_BYTES = 64 * 1024;
const PENDING_BYTES = 1024 * 1024;
const PUBLISH_TIMEOUT_MS = 2_000;
const RETRY_MS = 250;
const WRONG_LAST_SEQUENCE = [10_071, 10_164];

/** Reads the last message of a subject, or undefined when there is none. */
export async function readFeedTail(manager: JetStreamManager, feed: { stream: string; subject: string }): Promise<FeedTail | undefined> {
  const message = await manager.streams.getMessage(feed.stream, { last_by_subj: feed.subject });
  if (message === null) return undefined;
  return { sequence: message.seq, writer: message.header?.get(WRITER_HEADER) || undefined, data: message.string() };
}

export interface AppendOptions {
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly stream: string;
  readonly subject: string;
  /** Tells this batch from every other one. */
  readonly writer: string;
  /** How long the batch stays in the stream; for ever by default. */
  readonly seconds?: number;
  /** The sequence in the stream of the batch before it; 0 when it is the first. */
  readonly after: number;
  /** Ends the attempts at it. */
  readonly signal: AbortSignal;
  /** Told of each failure that is tried again. */
  readonly onRetry: (error: unknown) => void;
}

/**
 * Appends one batch to a feed, over outages of NATS, exactly once.
 * @returns its sequence in the stream
 * @throws {FeedFencedError} when the last message is neither this batch nor the one before it
 */
export async function appendToFeed(batch: string, options: AppendOptions): Promise<number> {
  const { client, subject, writer, seconds, after, signal, onRetry } = options;
  for (;;) {
    signal.throwIfAborted();
    try {
      const header = headers();
      header.set(WRITER_HEADER, writer);
      const ack = await client.publish(subject, batch, {
        headers: header,
        expect: { lastSubjectSequence: after },
        timeout: PUBLISH_TIMEOUT_MS,
        ...(seconds !== undefined && { ttl: `${seconds}s` }),
      });
      return ack.seq;
    } catch (error) {
      if (!isAmbiguous(error)) throw error;
      const tail = await tailOnceReachable(options);
      if (tail?.writer === writer && tail.data === batch) return tail.sequence;
      if ((tail?.sequence ?? 0) !== after) throw new FeedFencedError(`Another writer has written to ${subject}.`);
      onRetry(error);
      await delay(RETRY_MS, undefined, { signal });
    }
  }
}

export async function feedWriter<Event>(options: FeedWriterOptions): Promise<FeedWriter<Event>> {
  const { connection, stream, subject, logger, onFenced } = options;
  const client = jetstream(connection);
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const writer = randomUUID();
  const abandoned = new AbortController();
  const encoded: string[] = [];
  let encodedBytes = 0;
  let nextNumber = 1;
  let lastSequence = 0;
  let pump: Promise<void> | undefined;
  let failure: Error | undefined;
  let waiting: (() => void)[] = [];

  const publishAll = async (): Promise<void> => {
    await delay(FLUSH_AFTER_MS);
    while (encoded.length > 0) {
      const { batch, count, bytes } = nextBatch(encoded, nextNumber);
      lastSequence = await appendToFeed(batch, {
        client,
        manager,
        stream,
        subject,
        writer,
        after: lastSequence,
        signal: abandoned.signal,
        onRetry: (error) => logger.warn({ subject, error: String(error) }, "events cannot be published; trying again"),
      });
      encoded.splice(0, count);
      nextNumber += count;
      encodedBytes -= bytes;
      if (encodedBytes < PENDING_BYTES) makeRoom();
    }
  };
  const startPump = (): void => {
    pump ??= publishAll()
      .catch((error: unknown) => {
        failure = error instanceof Error ? error : new Error(String(error));
        encoded.length = 0;
        encodedBytes = 0;
        makeRoom();
        if (error instanceof FeedFencedError) onFenced();
        else if (!abandoned.signal.aborted) logger.error({ subject, err: error }, "events cannot be published any more");
      })
      .finally(() => {
        pump = undefined;
        if (encoded.length > 0) startPump();
      });
  };
  const idle = async (): Promise<void> => {
    if (pump === undefined) return;
    await pump;
    await idle();
  };
  const makeRoom = (): void => {
    for (const proceed of waiting) proceed();
    waiting = [];
  };

  return {
    async write(event) {
      if (failure !== undefined || abandoned.signal.aborted) return;
      const json = JSON.stringify(event);
      encoded.push(json);
      encodedBytes += Buffer.byteLength(json);
      startPump();
      if (encodedBytes >= PENDING_BYTES) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async flush() {
      await idle();
      if (failure !== undefined) throw failure;
    },
    abandon() {
      abandoned.abort(new FeedFencedError(`The feed ${subject} was given up.`));
    },
  };
}

/** Publishing failed in a way that leaves open whether the message arrived, or says that somebody's did. */
function isAmbiguous(error: unknown): boolean {
  return !(error instanceof JetStreamApiError) || WRONG_LAST_SEQUENCE.includes(error.code) || error.status === 503;
}

async function tailOnceReachable({ manager, stream, subject, signal, onRetry }: AppendOptions): Promise<FeedTail | undefined> {
  for (;;) {
    try {
      return await readFeedTail(manager, { stream, subject });
    } catch (error) {
      onRetry(error);
      await delay(RETRY_MS, undefined, { signal });
    }
  }
}

/** As many events as fit a batch, at least one. */
function nextBatch(encoded: readonly string[], first: number): { batch: string; count: number; bytes: number } {
  let count = 0;
  let bytes = 0;
  for (const json of encoded) {
    const size = Buffer.byteLength(json);
    if (count > 0 && bytes + size > BATCH_BYTES) break;
    count += 1;
    bytes += size;
  }
  return { batch: `{"first":${first},"events":[${encoded.slice(0, count).join(",")}]}`, count, bytes };
}
