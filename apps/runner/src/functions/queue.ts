/** Calls off the queue of one version of a function. */
import { type Catalogue, CallMessage } from "@lamina/api";
import { type ControlPlane, ensureConsumer, ensureStreams, type Logger } from "@lamina/service";
import { AckPolicy, type ConsumerMessages, jetstream, jetstreamManager, type JsMsg } from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/transport-node";
import { setTimeout as delay } from "node:timers/promises";
import { messageId } from "./held-call.ts";
import type { FunctionPool } from "./pool.ts";

export interface CallQueueOptions {
  readonly connection: NatsConnection;
  readonly catalogue: Catalogue;
  readonly controlPlane: Pick<ControlPlane, "calls">;
  readonly pool: FunctionPool;
  readonly logger: Logger;
}

export interface CallQueue {
  /** Takes nothing more. */
  stop(): Promise<void>;
}

const RETRY_MS = 500;

/** Gives the pool what it has room for, over any number of restarts of NATS. */
export function takeCalls(options: CallQueueOptions): CallQueue {
  const { logger, pool } = options;
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      try {
        await take(options, stop.signal);
      } catch (error) {
        if (stop.signal.aborted) return;
        logger.warn({ error: String(error), function: pool.served.id }, "calls cannot be taken off the queue; trying again");
      }
      await delay(RETRY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      stop.abort();
      await running;
    },
  };
}

/** All runners together hold no more messages than the function may have calls at once, so one more is only delivered where there is room. */
async function take({ connection, catalogue, controlPlane, pool, logger }: CallQueueOptions, signal: AbortSignal): Promise<void> {
  const { calls } = catalogue;
  const { id, maxContainers, concurrency } = pool.served;
  const manager = await jetstreamManager(connection);
  await ensureStreams(manager, catalogue);
  await ensureConsumer(manager, calls.stream, {
    durable_name: calls.consumer(id),
    filter_subject: calls.filter(id),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(calls.ackWaitSeconds * 1000),
    max_ack_pending: maxContainers * concurrency,
  });
  /** Its calls may have ended, or have messages of their own now. */
  const takeAgain = async (message: JsMsg, { method, calls: all }: CallMessage): Promise<void> => {
    try {
      const carried = await controlPlane.calls.carried(
        { function: id, message: messageId(message), ids: all.map((call) => call.id) },
        { signal },
      );
      const left = all.filter((call) => carried.includes(call.id));
      if (left.length === 0) message.ack();
      else pool.take(message, { method, calls: left });
    } catch (error) {
      logger.warn({ error: String(error), function: id }, "it is not known which calls of a message have not ended");
      message.nak(RETRY_MS);
    }
  };
  const consumer = await jetstream(connection).consumers.get(calls.stream, calls.consumer(id));
  const onMessage = (message: JsMsg): void => {
    const content = parse(message);
    if (content === undefined) {
      logger.error({ subject: message.subject, sequence: message.seq }, "a message of a function's queue is no calls; dropped");
      return message.term("no calls");
    }
    if (pool.isHeld(message, content)) return;
    if (message.info.deliveryCount === 1) return pool.take(message, content);
    void takeAgain(message, content);
  };
  if (pool.capacity === maxContainers * concurrency) {
    // Never more wait at the server for a message than this many, so one that is delivered goes to a container at once.
    return read(await consumer.consume({ max_messages: Math.min(pool.capacity, MOST_ASKED_FOR) }), onMessage, signal);
  }
  const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  while (!signal.aborted) {
    const room = pool.capacity - pool.messages.size;
    if (room > 0) await read(await consumer.fetch({ max_messages: room, expires: PULL_MS }), onMessage, signal);
    else await Promise.race([pool.roomAgain(), aborted]);
  }
}

/** How many messages of a function's queue nobody has. */
export async function queuedCalls({
  connection,
  catalogue: { calls },
  functionId,
}: Pick<CallQueueOptions, "connection" | "catalogue"> & { readonly functionId: string }): Promise<number> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  return (await manager.consumers.info(calls.stream, calls.consumer(functionId))).num_pending;
}

const MOST_ASKED_FOR = 256;
const PULL_MS = 10_000;

async function read(messages: ConsumerMessages, onMessage: (message: JsMsg) => void, signal: AbortSignal): Promise<void> {
  const close = () => void messages.close();
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) close();
  try {
    for await (const message of messages) onMessage(message);
  } finally {
    signal.removeEventListener("abort", close);
  }
}

function parse(message: JsMsg): CallMessage | undefined {
  try {
    return CallMessage.parse(message.json());
  } catch {
    return undefined;
  }
}
