/** What builders and runners have in common: their environment, their connections, and the jobs that they take. */
import { hostname } from "node:os";
import { type Catalogue, catalogue, CPU_POOL, type Job, type JobKind, type Worker } from "@lamina/api";
import type { NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";
import { Address, isLoopback, natsVariables, registryVariables } from "./config.ts";
import { controlPlane, type ControlPlane } from "./control-plane.ts";
import { type HealthCheck, healthServer } from "./health.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { checkQueue, takeJobs } from "./jobs.ts";
import { createLogger, type Logger } from "./logger.ts";
import { connectNats } from "./nats.ts";

/** The variables of every worker. */
export const workerVariables = {
  ...natsVariables,
  ...registryVariables,
  /** Of the control plane. */
  LAMINA_URL: z.url({ protocol: /^https?$/ }),
  /** A worker's. */
  LAMINA_TOKEN: z.string().min(1),
  LAMINA_POOL: z.string().min(1).default(CPU_POOL),
  LAMINA_WORKER_NAME: z.string().min(1).default(hostname()),
  /** A directory of this process alone. */
  LAMINA_STATE: z.string().min(1),
  /** The directory of the programs that it starts; without it those on PATH are taken. */
  LAMINA_TOOLS: z.string().optional(),
  LAMINA_HEALTH: Address.optional(),
  LAMINA_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
};

const Variables = z.object(workerVariables);

/** What {@link workerVariables} say. */
export function workerConfig(read: z.output<typeof Variables>) {
  const { LAMINA_REGISTRY: host, LAMINA_REGISTRY_USERNAME: username, LAMINA_REGISTRY_PASSWORD: password = "" } = read;
  return {
    controlPlane: { url: read.LAMINA_URL, token: read.LAMINA_TOKEN },
    nats: { url: read.LAMINA_NATS_URL, user: read.LAMINA_NATS_USER, password: read.LAMINA_NATS_PASSWORD },
    namespace: read.LAMINA_NAMESPACE,
    registry: {
      host,
      insecure: read.LAMINA_REGISTRY_INSECURE ?? isLoopback(host),
      credentials: username === undefined ? undefined : { username, password },
    },
    pool: read.LAMINA_POOL,
    workerName: read.LAMINA_WORKER_NAME,
    state: read.LAMINA_STATE,
    tools: read.LAMINA_TOOLS,
    health: read.LAMINA_HEALTH,
    logLevel: read.LAMINA_LOG_LEVEL,
  };
}
export type WorkerConfig = ReturnType<typeof workerConfig>;

/** What the handler of a job stands on. */
export interface WorkerSurroundings {
  readonly worker: string;
  readonly controlPlane: ControlPlane;
  readonly connection: NatsConnection;
  readonly catalogue: Catalogue;
  /** Of the platform's registry, as this process reaches it. */
  readonly registryHost: string;
  readonly logger: Logger;
  /** This process is to stop. */
  readonly signal: AbortSignal;
}

export interface RunWorkerOptions<Kind extends JobKind> {
  readonly kind: Kind;
  readonly config: WorkerConfig;
  readonly version: string;
  readonly logger: Logger;
  /** How many jobs are handled at once. */
  readonly concurrency: number;
  /** How many GPUs a job may have. */
  readonly gpus: number;
  /** Of what it stands on beside NATS. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
  readonly handle: (job: Extract<Job, { kind: Kind }>, surroundings: WorkerSurroundings) => Promise<void>;
  /** What it does beside jobs, until the signal. */
  readonly alongside?: (surroundings: WorkerSurroundings) => Promise<void>;
  readonly signal: AbortSignal;
}

/** A logger that shows none of the worker's credentials. */
export function workerLogger(kind: JobKind, { controlPlane, nats, registry, logLevel }: WorkerConfig): Logger {
  const secrets = [controlPlane.token, nats.password, registry.credentials?.password].filter((value) => value !== undefined);
  return createLogger({ name: WORKER_KINDS[kind], level: logLevel, secrets });
}

/** Takes and handles jobs until the signal. @throws {LaminaError} UNREACHABLE when NATS is not there at the start */
export async function runWorker<Kind extends JobKind>(options: RunWorkerOptions<Kind>): Promise<void> {
  const { kind, config, version, logger, concurrency, gpus, checks, handle, alongside, signal } = options;
  const { workerName, pool } = config;
  const worker: Worker = { name: workerName, kind: WORKER_KINDS[kind], pool, gpus, platform: machinePlatform(), version };
  const connection = await connectNats({ ...config.nats, name: `${worker.kind} ${workerName}` });
  const names = catalogue(config.namespace);
  const queue = { connection, catalogue: names, kind, pool };
  const platform = controlPlane(config.controlPlane);

  using heartbeat = startHeartbeat({ controlPlane: platform, worker, logger });
  // Who waits until this worker is ready may ask at once for what its pool alone can do.
  await heartbeat.first;
  await using _health = config.health && (await healthServer(config.health, { nats: () => checkQueue(queue), ...checks }));
  logger.info({ pool, worker: workerName }, "ready for jobs");
  const surroundings = {
    worker: workerName,
    controlPlane: platform,
    connection,
    catalogue: names,
    registryHost: config.registry.host,
    logger,
    signal,
  };
  await Promise.all([
    takeJobs({ ...queue, logger, concurrency, signal, handle: (job) => handle(job, surroundings) }),
    alongside?.(surroundings),
  ]);
  await connection.drain();
  logger.info("stopped");
}

const WORKER_KINDS = { build: "builder", run: "runner" } as const;

function machinePlatform(): Worker["platform"] {
  return process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
}
