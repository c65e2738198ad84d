/** Taking calls, and whole queues, away. */
import { CallsCancelled } from "@lamina/api";
import { JetStreamApiError } from "@nats-io/jetstream";
import type { Nats } from "../events/nats.ts";

const CONSUMER_NOT_FOUND = 10_014;

/** Deletes the queue of a function version that has no calls any more, and the consumer that its runners shared. */
export async function removeQueue({ manager, catalogue }: Nats, functionId: string): Promise<void> {
  const { stream, filter, consumer } = catalogue.calls;
  await manager.streams.purge(stream, { filter: filter(functionId) });
  try {
    await manager.consumers.delete(stream, consumer(functionId));
  } catch (error) {
    // No runner ever served it, or this comes a second time.
    if (!(error instanceof JetStreamApiError && error.code === CONSUMER_NOT_FOUND)) throw error;
  }
}

interface UnwantedCall {
  readonly id: string;
  /** The function version on whose queue it is; without it its message stays for others that it carries, or the whole queue goes. */
  readonly function?: string | undefined;
  /** Its message, where that is not its own. */
  readonly message?: string | undefined;
}

/** Takes cancelled calls off their queues, and tells runners, who may be at them, and those who wait for their ends. */
export async function unqueueCalls({ connection, manager, catalogue }: Nats, calls: readonly UnwantedCall[]): Promise<void> {
  const { stream, subject } = catalogue.calls;
  await Promise.all(
    [...new Map(calls.map((call) => [call.message ?? call.id, call])).entries()].map(async ([message, { function: functionId }]) => {
      if (functionId !== undefined) await manager.streams.purge(stream, { filter: subject(functionId, message) });
    }),
  );
  const ids = calls.map(({ id }) => id);
  connection.publish(catalogue.callsCancelled, JSON.stringify({ calls: ids } satisfies CallsCancelled));
  connection.publish(catalogue.callsEnded, JSON.stringify(ids));
}
