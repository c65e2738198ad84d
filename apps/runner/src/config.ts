/** Everything that the runner reads from its environment. */
import { hostname } from "node:os";
import { Address, isLoopback, natsVariables, readConfig, registryVariables } from "@lamina/service";
import { z } from "zod";

const Environment = z.object({
  ...natsVariables,
  ...registryVariables,
  /** Of the control plane. */
  LAMINA_URL: z.url({ protocol: /^https?$/ }),
  /** A worker's. */
  LAMINA_TOKEN: z.string().min(1),
  /** The socket of containerd. */
  LAMINA_CONTAINERD: z.string().min(1),
  LAMINA_POOL: z.string().min(1).default("cpu"),
  LAMINA_WORKER_NAME: z.string().min(1).default(hostname()),
  /** A directory of this process alone. */
  LAMINA_STATE: z.string().min(1),
  /** The directory that has `ctr`; without it the one on PATH is taken. */
  LAMINA_TOOLS: z.string().optional(),
  LAMINA_HEALTH: Address.optional(),
  /** How many runs there may be at once. */
  LAMINA_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(8),
  LAMINA_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

export type RunnerConfig = ReturnType<typeof readRunnerConfig>;

/** @throws {ConfigError} */
export function readRunnerConfig(env: NodeJS.ProcessEnv) {
  const read = readConfig(Environment, env);
  return {
    controlPlane: { url: read.LAMINA_URL, token: read.LAMINA_TOKEN },
    nats: { url: read.LAMINA_NATS_URL, user: read.LAMINA_NATS_USER, password: read.LAMINA_NATS_PASSWORD },
    namespace: read.LAMINA_NAMESPACE,
    registry: {
      host: read.LAMINA_REGISTRY,
      insecure: read.LAMINA_REGISTRY_INSECURE ?? isLoopback(read.LAMINA_REGISTRY),
      credentials: credentials(read.LAMINA_REGISTRY_USERNAME, read.LAMINA_REGISTRY_PASSWORD),
    },
    containerd: read.LAMINA_CONTAINERD,
    pool: read.LAMINA_POOL,
    workerName: read.LAMINA_WORKER_NAME,
    state: read.LAMINA_STATE,
    tools: read.LAMINA_TOOLS,
    health: read.LAMINA_HEALTH,
    concurrency: read.LAMINA_CONCURRENCY,
    logLevel: read.LAMINA_LOG_LEVEL,
    /** What `ctr` gets of our environment: none of our credentials. */
    toolEnvironment: { PATH: env["PATH"] ?? "" },
  };
}

function credentials(username: string | undefined, password: string | undefined) {
  return username === undefined ? undefined : { username, password: password ?? "" };
}
