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
  /** Makes the streams that are not there. */
  ensureStreams(): Promise<void>;
}

export async function openNats(connection: NatsConnection, catalogue: Catalogue): Promise<Nats> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  return { connection, client: jetstream(connection), manager, catalogue, ensureStreams: () => ensureStreams(manager, catalogue) };
}
