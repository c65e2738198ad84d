/** The outbox as a whole: its lanes, and how each kind of message goes out. */
import type { ControlMessage } from "@lamina/api";
import { isRegistryError } from "@lamina/registry";
import type { Context } from "../context.ts";
import { endFeed } from "../events/end.ts";
import type { OutboxKind, OutboxMessage } from "./messages.ts";
import { removeQueue, unqueueCalls } from "../calls/queue.ts";
import { createPump } from "./pump.ts";

export interface Outbox {
  /** Sends what is due, now. */
  wake(): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

type SendContext = Pick<Context, "database" | "logger" | "nats" | "registries">;

/** Each lane waits for one server only, so that one which is away does not hold up what goes to another. */
const LANES: readonly (readonly OutboxKind[])[] = [
  ["job", "cancel", "build-changed", "functions-changed", "function-stopped", "calls-cancelled"],
  ["end"],
  ["tag"],
];

export function createOutbox(context: SendContext): Outbox {
  const { database, logger } = context;
  const send = (message: OutboxMessage, id: string) => sendMessage(context, message, id);
  const pumps = LANES.map((lane) => createPump({ database, logger, lane, send }));
  return {
    wake: () => pumps.forEach((pump) => pump.wake()),
    idle: async () => void (await Promise.all(pumps.map((pump) => pump.idle()))),
  };
}

/** The tag of a record ends with its id. */
const UUID_LENGTH = 36;

async function sendMessage(context: SendContext, message: OutboxMessage, id: string): Promise<void> {
  const { nats, database, logger } = context;
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
      return tagRecord(context, message);
    case "cancel":
      return connection.publish(catalogue.control(message.id), JSON.stringify({ type: "cancel" } satisfies ControlMessage));
    case "build-changed":
      return connection.publish(catalogue.buildChanged(message.build));
    case "functions-changed":
      return connection.publish(catalogue.functionsChanged);
    case "function-stopped":
      return withStreams(context, () => removeQueue(nats, message.function));
    case "calls-cancelled":
      return withStreams(context, () => unqueueCalls(nats, message.calls));
  }
}

/** A record whose manifest is gone from the registry is none. */
async function tagRecord({ registries, database, logger }: SendContext, message: Extract<OutboxMessage, { kind: "tag" }>): Promise<void> {
  const { repository, digest, tag } = message;
  try {
    await registries.platform.repository(repository).tag(digest, tag);
  } catch (error) {
    if (!isRegistryError(error) || error.code !== "NOT_FOUND") throw error;
    logger.error({ err: error, tag, digest }, "an image was gone before it had its tag; its record is dropped");
    await database.record.deleteMany({ where: { id: tag.slice(-UUID_LENGTH), digest } });
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
