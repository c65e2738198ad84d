/** The builder as a whole: its connections, its heartbeat, and the jobs that it takes. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { catalogue } from "@lamina/api";
import { CA_SECRET, type Platform } from "@lamina/ir";
import { createRegistry } from "@lamina/registry";
import {
  connectNats,
  controlPlane,
  createLogger,
  ensureStreams,
  healthServer,
  takeJobs,
  type ControlPlane,
  type Logger,
} from "@lamina/service";
import { jetstreamManager } from "@nats-io/jetstream";
import packageJson from "../package.json" with { type: "json" };
import { runAttempt } from "./attempt/run-attempt.ts";
import { buildctl } from "./buildkit/buildctl.ts";
import { writeDockerConfig } from "./buildkit/docker-config.ts";
import type { BuilderConfig } from "./config.ts";

/** Takes and makes build jobs until the signal. @throws {LaminaError} UNREACHABLE when NATS is not there at the start */
export async function runBuilder(config: BuilderConfig, signal: AbortSignal): Promise<void> {
  const { workerName, pool, registry } = config;
  const secrets = [config.controlPlane.token, config.nats.password, registry.credentials?.password];
  const logger = createLogger({ name: "builder", level: config.logLevel, secrets: secrets.filter((value) => value !== undefined) });
  const state = await openState(config);
  const connection = await connectNats({ ...config.nats, name: `builder ${workerName}` });
  const names = catalogue(config.namespace);
  await ensureStreams(await jetstreamManager(connection), names);
  const platform = controlPlane(config.controlPlane);
  const buildkit = buildctl({
    program: config.tools === undefined ? "buildctl" : join(config.tools, "buildctl"),
    address: config.buildkit,
    environment: { ...config.toolEnvironment, DOCKER_CONFIG: state.dockerConfig },
    secretFiles: config.caBundle === undefined ? {} : { [CA_SECRET]: config.caBundle },
  });
  const heartbeat = startHeartbeat({ platform, config, logger });
  const health =
    config.health &&
    (await healthServer(config.health, { nats: async () => void (await connection.rtt()), buildkit: () => buildkit.ping() }));
  logger.info({ pool, worker: workerName }, "ready for jobs");
  try {
    await takeJobs({
      connection,
      catalogue: names,
      logger,
      kind: "build",
      pool,
      concurrency: config.concurrency,
      handle: ({ attempt }) =>
        runAttempt(attempt, {
          worker: workerName,
          controlPlane: platform,
          connection,
          catalogue: names,
          buildkit,
          registry: createRegistry(registry),
          registryHost: registry.host,
          uv: config.uv,
          staging: state.staging,
          logger,
          signal,
        }),
      signal,
    });
  } finally {
    clearInterval(heartbeat);
    await health?.[Symbol.asyncDispose]();
    await connection.drain();
    await rm(state.dockerConfig, { recursive: true, force: true });
  }
  logger.info("stopped");
}

/** What attempts of a process that died have left is removed. */
async function openState({ state, registry }: BuilderConfig): Promise<{ staging: string; dockerConfig: string }> {
  const staging = join(state, "attempts");
  const dockerConfig = join(state, "docker");
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true, mode: 0o700 });
  await writeDockerConfig(dockerConfig, { [registry.host]: registry.credentials });
  return { staging, dockerConfig };
}

const HEARTBEAT_MS = 10_000;

interface Heartbeat {
  readonly platform: ControlPlane;
  readonly config: BuilderConfig;
  readonly logger: Logger;
}

function startHeartbeat({ platform, config, logger }: Heartbeat): NodeJS.Timeout {
  const worker = {
    name: config.workerName,
    kind: "builder" as const,
    pool: config.pool,
    platform: machinePlatform(),
    version: packageJson.version,
  };
  const beat = (): void => {
    const signal = AbortSignal.timeout(HEARTBEAT_MS);
    platform.platform
      .heartbeat(worker, { signal })
      .catch((error: unknown) => logger.warn({ reason: String(error) }, "the control plane does not hear us"));
  };
  beat();
  return setInterval(beat, HEARTBEAT_MS);
}

function machinePlatform(): Platform {
  return process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
}
