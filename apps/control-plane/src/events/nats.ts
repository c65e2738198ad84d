/** The connection to NATS with what is used of it. */
import type { Catalogue } from "@lamina/api";
import { ensureStreams } from "@lamina/service";
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

export interface Nats {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly catalogue: Catalogue;
  /** Calls back whenever the connection was lost and made again, until the signal. */
  onReconnect(callback: () => void, signal: AbortSignal): void;
  /** Makes the streams that are not there. */
  ensureStreams(): Promise<void>;
}

export async function openNats(connection: NatsConnection, catalogue: Catalogue): Promise<Nats> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const reconnections = new EventTarget();
  void tellReconnections(connection, reconnections);
  return {
    connection,
    client: jetstream(connection),
    manager,
    catalogue,
    onReconnect: (callback, signal) => reconnections.addEventListener("reconnect", callback, { signal }),
    ensureStreams: () => ensureStreams(manager, catalogue),
  };
}

async function tellReconnections(connection: NatsConnection, reconnections: EventTarget): Promise<void> {
  for await (const { type } of connection.status()) if (type === "reconnect") reconnections.dispatchEvent(new Event(type));
}
