/** The connection to NATS, and the streams that the platform keeps there. */
import { LaminaError, type Catalogue } from "@lamina/api";
import {
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type ConsumerConfig,
  type StreamConfig,
} from "@nats-io/jetstream";
import { connect, nanos, type NatsConnection } from "@nats-io/transport-node";

export interface NatsOptions {
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** The process, as NATS' own monitoring shows it. */
  readonly name: string;
}

/**
 * Connects once, and from then on reconnects for ever.
 * @throws {LaminaError} UNREACHABLE when the first connection fails.
 */
export async function connectNats({ url, user, password, name }: NatsOptions): Promise<NatsConnection> {
  const credentials = user === undefined ? {} : { user, pass: password ?? "" };
  try {
    return await connect({
      servers: url,
      name,
      timeout: 5_000,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      pingInterval: 20_000,
      ignoreAuthErrorAbort: true,
      ...credentials,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `NATS at ${withoutUserInfo(url)} cannot be reached: ${reason}. Check LAMINA_NATS_URL, and LAMINA_NATS_USER and LAMINA_NATS_PASSWORD where it asks for them.`;
    throw new LaminaError({ code: "UNREACHABLE", message }, { cause });
  }
}

/** Makes the streams of the catalogue, or brings them to what it says. Any number of processes may do so at once. */
export async function ensureStreams(manager: JetStreamManager, { jobs, events, calls, logs }: Catalogue): Promise<void> {
  await ensureStream(manager, {
    name: jobs.stream,
    subjects: jobs.subjects,
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
  });
  await ensureStream(manager, {
    name: events.stream,
    subjects: events.subjects,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    // What goes on stays, however old it is; a feed that has ended is taken out.
    max_age: 0,
    allow_msg_ttl: true,
    allow_direct: true,
  });
  await ensureStream(manager, {
    name: calls.stream,
    subjects: calls.subjects,
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
  });
  await ensureStream(manager, {
    name: logs.stream,
    subjects: logs.subjects,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_age: nanos(logs.keptSeconds * 1000),
    max_msgs: logs.keptBatches,
    allow_direct: true,
  });
}

async function ensureStream({ streams }: JetStreamManager, config: Partial<StreamConfig> & { name: string }): Promise<void> {
  await addOrUpdate({ add: () => streams.add(config), update: () => streams.update(config.name, config) });
}

/** Makes a stream or consumer; one of that name with another configuration, such as that of an earlier release, is updated. */
async function addOrUpdate({ add, update }: Record<"add" | "update", () => Promise<unknown>>): Promise<void> {
  try {
    await add();
  } catch (error) {
    if (!(error instanceof JetStreamApiError && EXISTS_OTHERWISE.has(error.code))) throw error;
    await update();
  }
}

const STREAM_NAME_IN_USE = 10_058;
const CONSUMER_EXISTS = 10_148;
const EXISTS_OTHERWISE: ReadonlySet<number> = new Set([STREAM_NAME_IN_USE, CONSUMER_EXISTS]);

export async function ensureConsumer(
  { consumers }: JetStreamManager,
  stream: string,
  config: Partial<ConsumerConfig> & { durable_name: string },
): Promise<void> {
  await addOrUpdate({
    add: () => consumers.add(stream, config),
    update: () => consumers.update(stream, config.durable_name, config),
  });
}

function withoutUserInfo(url: string): string {
  return url.replaceAll(/\/\/[^/@]*@/g, "//");
}
