/**
 * Jobs off a pool's work queue. A job names what to claim; the claim, not its delivery, decides who
 * does it, so a job that comes twice does no harm.
 */
import { type Catalogue, Job, type JobKind } from "@lamina/api";
import { AckPolicy, type Consumer, type ConsumerMessages, jetstream, jetstreamManager, type JsMsg } from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/transport-node";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "./logger.ts";
import { ensureConsumer, ensureStreams } from "./nats.ts";

export interface QueueOptions<Kind extends JobKind> {
  readonly connection: NatsConnection;
  readonly catalogue: Catalogue;
  readonly kind: Kind;
  readonly pool: string;
}

export interface TakeJobsOptions<Kind extends JobKind> extends QueueOptions<Kind> {
  readonly logger: Logger;
  /** How many jobs are handled at once. None is taken off the queue before there is room for it. */
  readonly concurrency: number;
  /** When it ends the job is done with; when it throws the job is delivered again a little later. */
  readonly handle: (job: Extract<Job, { kind: Kind }>) => Promise<void>;
  /** No job is taken after it; those at hand are finished. */
  readonly signal: AbortSignal;
}

/**
 * Takes jobs until the signal, over any number of restarts of NATS, and makes the queue where there is none:
 * at the start, and after NATS came back empty. Resolves when the last handler has ended. A job that is on its way
 * when the signal comes is delivered to another worker once the time to acknowledge it is over.
 */
export async function takeJobs<Kind extends JobKind>(options: TakeJobsOptions<Kind>): Promise<void> {
  const pulls: Pulls = new Set();
  const endPulls = () => pulls.forEach((pull) => void pull.close());
  void callOnReconnect(options.connection, endPulls);
  options.signal.addEventListener("abort", endPulls, { once: true });
  await Promise.all(Array.from({ length: options.concurrency }, () => takeOneAfterAnother(pulls, options)));
}

/** Throws when jobs cannot be taken, as long as the queue is not there. */
export async function checkQueue<Kind extends JobKind>({ connection, catalogue, kind, pool }: QueueOptions<Kind>): Promise<void> {
  const manager = await jetstreamManager(connection);
  await manager.consumers.info(catalogue.jobs.stream, catalogue.jobs.consumer(kind, pool));
}

/** Those that wait for a message. */
type Pulls = Set<ConsumerMessages>;

const PULL_SECONDS = 30;
const RETRY_PULL_MS = 500;
/** Doubles each time. */
const REDELIVER_MS = 2_000;
const LONGEST_REDELIVER_MS = 60_000;

/** The durable consumer that all workers of a pool share; made where there is none. */
async function poolConsumer<Kind extends JobKind>({ connection, catalogue, kind, pool }: QueueOptions<Kind>): Promise<Consumer> {
  const { stream, subject, consumer, ackWaitSeconds } = catalogue.jobs;
  const manager = await jetstreamManager(connection);
  await ensureStreams(manager, catalogue);
  await ensureConsumer(manager, stream, {
    durable_name: consumer(kind, pool),
    filter_subject: subject(kind, pool),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitSeconds * 1000),
  });
  return jetstream(connection).consumers.get(stream, consumer(kind, pool));
}

/** The server forgets a pull when the connection breaks. */
async function callOnReconnect(connection: NatsConnection, callback: () => void): Promise<void> {
  for await (const { type } of connection.status()) if (type === "reconnect") callback();
}

async function takeOneAfterAnother<Kind extends JobKind>(pulls: Pulls, options: TakeJobsOptions<Kind>): Promise<void> {
  const { signal, logger, kind, pool } = options;
  let consumer: Consumer | undefined;
  while (!signal.aborted) {
    try {
      consumer ??= await poolConsumer(options);
      const message = await nextMessage(consumer, pulls, signal);
      if (message !== undefined) await handleMessage(message, options);
      else consumer = undefined;
    } catch (error) {
      consumer = undefined;
      logger.warn({ error: String(error), kind, pool }, "jobs cannot be taken off the queue; trying again");
      await delay(RETRY_PULL_MS, undefined, { signal }).catch(() => {});
    }
  }
}

/** Waits for a message as long as a pull lasts. */
async function nextMessage(consumer: Consumer, pulls: Pulls, signal: AbortSignal): Promise<JsMsg | undefined> {
  const pull = await consumer.fetch({ max_messages: 1, expires: PULL_SECONDS * 1000 });
  pulls.add(pull);
  if (signal.aborted) void pull.close();
  try {
    for await (const message of pull) return message;
    return undefined;
  } finally {
    pulls.delete(pull);
  }
}

async function handleMessage<Kind extends JobKind>(message: JsMsg, options: TakeJobsOptions<Kind>): Promise<void> {
  const { logger, kind, handle, catalogue } = options;
  const job = parseJob(message, kind);
  if (job === undefined) {
    logger.error({ subject: message.subject, sequence: message.seq }, "a message of the work queue is not a job of this kind; dropped");
    return message.term("not a job");
  }
  const working = setInterval(() => message.working(), (catalogue.jobs.ackWaitSeconds * 1000) / 3);
  try {
    await handle(job);
    message.ack();
  } catch (error) {
    logger.warn({ err: error, job }, "a job could not be handled; it will come again");
    message.nak(Math.min(REDELIVER_MS * 2 ** (message.info.deliveryCount - 1), LONGEST_REDELIVER_MS));
  } finally {
    clearInterval(working);
  }
}

function parseJob<Kind extends JobKind>(message: JsMsg, kind: Kind): Extract<Job, { kind: Kind }> | undefined {
  let content: unknown;
  try {
    content = message.json();
  } catch {
    return undefined;
  }
  const job = Job.safeParse(content);
  return job.success && isOfKind(job.data, kind) ? job.data : undefined;
}

function isOfKind<Kind extends JobKind>(job: Job, kind: Kind): job is Extract<Job, { kind: Kind }> {
  return job.kind === kind;
}
