/** Reading a feed from the stream of events. */
import { readFeedTail } from "@lamina/service";
import { type FeedBatch, lastNumberOf, parseBatch } from "./batch.ts";
import type { Nats } from "./nats.ts";

/**
 * The batches of a feed from its first, those to come included, until the signal or until the connection to NATS was
 * lost: a consumer may be gone with it, and to find that out by its silence takes half a minute.
 */
export async function* streamedBatches(nats: Nats, feed: string, signal: AbortSignal): AsyncGenerator<FeedBatch> {
  const { stream, subject } = nats.catalogue.events;
  await using cleanUp = new AsyncDisposableStack();
  const [done, lost] = [new AbortController(), new AbortController()];
  cleanUp.defer(() => done.abort());
  nats.onReconnect(() => lost.abort(), done.signal);
  const consumer = await nats.client.consumers.get(stream, { filter_subjects: subject(feed) });
  cleanUp.defer(async () => void (await consumer.delete().catch(() => false)));
  const messages = await consumer.consume({ max_messages: 500 });
  const until = AbortSignal.any([signal, lost.signal]);
  until.addEventListener("abort", () => messages.stop(), { signal: done.signal });
  if (until.aborted) messages.stop();
  for await (const message of messages) yield parseBatch(message.string());
}

/** The number of the last event that is in the stream; 0 when there is none. */
export async function lastStreamedNumber({ manager, catalogue }: Nats, feed: string): Promise<number> {
  const tail = await readFeedTail(manager, { stream: catalogue.events.stream, subject: catalogue.events.subject(feed) });
  return tail === undefined ? 0 : lastNumberOf(parseBatch(tail.data));
}
