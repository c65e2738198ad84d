/** Reading a feed from the stream of events. */
import { readFeedTail } from "@lamina/service";
import { type FeedBatch, lastNumberOf, parseBatch } from "./batch.ts";
import type { Nats } from "./nats.ts";

/** The batches of a feed from its first, those to come included, until the signal. Over outages it goes on where it was. */
export async function* streamedBatches({ client, catalogue }: Nats, feed: string, signal: AbortSignal): AsyncGenerator<FeedBatch> {
  const { stream, subject } = catalogue.events;
  const consumer = await client.consumers.get(stream, { filter_subjects: subject(feed) });
  const messages = await consumer.consume({ max_messages: 500 });
  const stop = () => messages.stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    if (signal.aborted) return;
    for await (const message of messages) yield parseBatch(message.string());
  } finally {
    signal.removeEventListener("abort", stop);
    await consumer.delete().catch(() => false);
  }
}

/** The number of the last event that is in the stream; 0 when there is none. */
export async function lastStreamedNumber({ manager, catalogue }: Nats, feed: string): Promise<number> {
  const tail = await readFeedTail(manager, { stream: catalogue.events.stream, subject: catalogue.events.subject(feed) });
  return tail === undefined ? 0 : lastNumberOf(parseBatch(tail.data));
}
