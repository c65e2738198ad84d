/** Messages of the stream of logs. */
import { DeliverPolicy } from "@nats-io/jetstream";
import type { Nats } from "../events/nats.ts";

/** Where somebody has got to. */
export interface StreamPlace {
  /** One, or a filter. */
  readonly subject: string;
  /** The sequence of the last message that was seen; 0 for none. */
  after: number;
}

export interface LogMessage {
  readonly sequence: number;
  readonly text: string;
}

export interface Reading {
  /** Whether what comes is waited for; otherwise it ends at what is there. */
  readonly waits: boolean;
  readonly until: AbortSignal;
}

/** The messages after a place. Ends when the connection to NATS was lost as well, since the consumer may be gone with it. @throws then, when it is not to wait */
export async function* messagesAfter(nats: Nats, { subject, after }: StreamPlace, { waits, until }: Reading): AsyncGenerator<LogMessage> {
  const { stream } = nats.catalogue.logs;
  await using cleanUp = new AsyncDisposableStack();
  const [done, lost] = [new AbortController(), new AbortController()];
  cleanUp.defer(() => done.abort());
  nats.onReconnect(() => lost.abort(), done.signal);
  const consumer = await nats.client.consumers.get(stream, {
    filter_subjects: subject,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: after + 1,
  });
  cleanUp.defer(async () => void (await consumer.delete().catch(() => false)));
  if (!waits && (await consumer.info()).num_pending === 0) return;
  const messages = await consumer.consume({ max_messages: 500 });
  const either = AbortSignal.any([until, lost.signal]);
  either.addEventListener("abort", () => messages.stop(), { signal: done.signal });
  if (either.aborted) messages.stop();
  for await (const message of messages) {
    yield { sequence: message.seq, text: message.string() };
    if (!waits && message.info.pending === 0) return;
  }
  if (!waits && !until.aborted) throw new Error("The connection to NATS was lost.");
}
