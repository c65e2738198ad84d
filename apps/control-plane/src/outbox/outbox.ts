/** The outbox as a whole: its lanes, and how each kind of message goes out. */
import type { Context } from "../context.ts";
import { endFeed } from "../events/end.ts";
import type { OutboxKind, OutboxMessage } from "./messages.ts";
import { createPump } from "./pump.ts";

export interface Outbox {
  /** Sends what is due, now. */
  wake(): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

type SendContext = Pick<Context, "database" | "logger" | "nats" | "registries">;

/** Each lane waits for one server only, so that one which is away does not hold up what goes to another. */
const LANES: readonly (readonly OutboxKind[])[] = [["job", "cancel", "build-changed"], ["end"], ["tag"]];

export function createOutbox(context: SendContext): Outbox {
  const { database, logger } = context;
  const send = (message: OutboxMessage, id: string) => sendMessage(context, message, id);
  const pumps = LANES.map((lane) => createPump({ database, logger, lane, send }));
  return {
    wake: () => pumps.forEach((pump) => pump.wake()),
    idle: async () => void (await Promise.all(pumps.map((pump) => pump.idle()))),
  };
}

async function sendMessage(context: SendContext, message: OutboxMessage, id: string): Promise<void> {
  const { nats, registries, database, logger } = context;
  const { client, connection, catalogue } = nats;
  switch (message.kind) {
    case "job":
      return withStreams(context, async () => {
        await client.publish(catalogue.jobs.subject(message.job.kind, message.pool), JSON.stringify(message.job), {
          msgID: `outbox-${id}`,
        });
      });
    case "end":
      return withStreams(context, () => endFeed({ nats, database, logger, feed: message.feed, event: message.event, id }));
    case "tag":
      return registries.platform.repository(message.repository).tag(message.digest, message.tag);
    case "cancel":
      return connection.publish(catalogue.control(message.id), JSON.stringify({ type: "cancel" }));
    case "build-changed":
      return connection.publish(catalogue.buildChanged(message.build));
  }
}

/** A NATS that came back empty has no streams: whoever fails makes them for the next try. */
async function withStreams({ nats }: SendContext, publish: () => Promise<void>): Promise<void> {
  try {
    await publish();
  } catch (error) {
    await nats.ensureStreams();
    throw error;
  }
}
