/** Everything that the builder reads from its environment. */
import { hostname } from "node:os";
import { isLoopback, natsVariables, readConfig, registryVariables, Address } from "@lamina/service";
import { z } from "zod";

const Environment = z.object({
  ...natsVariables,
  ...registryVariables,
  /** Of the control plane. */
  LAMINA_URL: z.url({ protocol: /^https?$/ }),
  /** A worker's. */
  LAMINA_TOKEN: z.string().min(1),
  /** Of BuildKit, as `buildctl --addr` takes it. */
  LAMINA_BUILDKIT: z.string().min(1),
  LAMINA_POOL: z.string().min(1).default("cpu"),
  LAMINA_WORKER_NAME: z.string().min(1).default(hostname()),
  /** A directory of this process alone. */
  LAMINA_STATE: z.string().min(1),
  /** The directory that has `buildctl`; without it the one on PATH is taken. */
  LAMINA_TOOLS: z.string().optional(),
  /** The directory that has `uv-<version>/uv`. */
  LAMINA_UV: z.string().min(1),
  /** A file of certificate authorities for what runs in a build, where a proxy inspects HTTPS. */
  LAMINA_CA_BUNDLE: z.string().optional(),
  LAMINA_HEALTH: Address.optional(),
  /** How many attempts are made at once. */
  LAMINA_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(1),
  LAMINA_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

export type BuilderConfig = ReturnType<typeof readBuilderConfig>;

/** @throws {ConfigError} */
export function readBuilderConfig(env: NodeJS.ProcessEnv) {
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
    buildkit: read.LAMINA_BUILDKIT,
    pool: read.LAMINA_POOL,
    workerName: read.LAMINA_WORKER_NAME,
    state: read.LAMINA_STATE,
    tools: read.LAMINA_TOOLS,
    uv: read.LAMINA_UV,
    caBundle: read.LAMINA_CA_BUNDLE,
    health: read.LAMINA_HEALTH,
    concurrency: read.LAMINA_CONCURRENCY,
    logLevel: read.LAMINA_LOG_LEVEL,
    toolEnvironment: toolEnvironment(env),
  };
}

function toolEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const name of TOOL_VARIABLES) {
    const value = env[name];
    if (value !== undefined) chosen[name] = value;
  }
  return chosen;
}

/** What buildctl gets of our environment: how to reach things, and none of our credentials. */
const TOOL_VARIABLES = [
  "PATH",
  "HOME",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

function credentials(username: string | undefined, password: string | undefined) {
  return username === undefined ? undefined : { username, password: password ?? "" };
}
