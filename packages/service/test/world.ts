/** What the tests of feeds and jobs stand on: a connection, a catalogue of the test's own, and its streams. */
import { randomUUID } from "node:crypto";
import { catalogue, type Catalogue } from "@lamina/api";
import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";
import { connectNats, createLogger, ensureStreams, type Logger } from "../src/index.ts";
import type { TestNats } from "./nats-server.ts";

export interface World extends AsyncDisposable {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly names: Catalogue;
  readonly logger: Logger;
}

/** `ackWaitSeconds`: after which a job that nobody works on comes again, where that is not to be as in the platform. */
export async function world(nats: TestNats, options: { readonly ackWaitSeconds?: number } = {}): Promise<World> {
  const connection = await connectNats({ url: nats.url, user: nats.user, password: nats.password, name: "test" });
  const manager = await jetstreamManager(connection);
  const shipped = catalogue(`t${randomUUID()}`);
  const names = { ...shipped, jobs: { ...shipped.jobs, ...options } };
  await ensureStreams(manager, names);
  return {
    connection,
    manager,
    names,
    logger: createLogger({ name: "test", level: "silent" }),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

const Batch = z.object({ first: z.number(), events: z.array(z.unknown()) });

/** Every message on the subject of a feed, in order. */
export async function batchesOf({ manager, names }: World, id: string): Promise<z.infer<typeof Batch>[]> {
  const { stream, subject } = names.events;
  const batches: z.infer<typeof Batch>[] = [];
  for (let sequence = 1; ; sequence++) {
    const message = await manager.direct.getMessage(stream, { seq: sequence, next_by_subj: subject(id) }).catch(() => null);
    if (message === null) return batches;
    batches.push(Batch.parse(message.json()));
    sequence = message.seq;
  }
}

/** The events of a feed; throws when their numbers have a gap or a repetition. */
export async function eventsOf(world: World, id: string): Promise<unknown[]> {
  const events: unknown[] = [];
  for (const batch of await batchesOf(world, id)) {
    if (batch.first !== events.length + 1) throw new Error(`batch ${batch.first} follows event ${events.length}`);
    events.push(...batch.events);
  }
  return events;
}
