/** The runner as a whole: its connections, its heartbeat, and the jobs that it takes. */
import { join } from "node:path";
import { catalogue } from "@lamina/api";
import { connectNats, controlPlane, createLogger, ensureStreams, healthServer, startHeartbeat, takeJobs } from "@lamina/service";
import { jetstreamManager } from "@nats-io/jetstream";
import packageJson from "../package.json" with { type: "json" };
import type { RunnerConfig } from "./config.ts";
import { containerdEngine } from "./engine/containerd.ts";
import { writeRegistryHosts } from "./engine/registry-hosts.ts";
import { executeRun } from "./execute-run.ts";

/** Takes and executes run jobs until the signal. @throws {LaminaError} UNREACHABLE when NATS is not there at the start */
export async function runRunner(config: RunnerConfig, signal: AbortSignal): Promise<void> {
  const { workerName, pool, namespace, registry, state } = config;
  const secrets = [config.controlPlane.token, config.nats.password, registry.credentials?.password];
  const logger = createLogger({ name: "runner", level: config.logLevel, secrets: secrets.filter((value) => value !== undefined) });
  const hosts = join(state, "registries");
  await writeRegistryHosts(hosts, registry);
  const engine = containerdEngine({
    program: config.tools === undefined ? "ctr" : join(config.tools, "ctr"),
    address: config.containerd,
    hosts,
    pipes: join(state, "pipes"),
    owner: `${namespace}/${workerName}`,
    environment: config.toolEnvironment,
    onLeftover: (message) => logger.warn(message),
  });
  await engine.removeLeftovers();
  const connection = await connectNats({ ...config.nats, name: `runner ${workerName}` });
  const names = catalogue(namespace);
  await ensureStreams(await jetstreamManager(connection), names);
  const platform = controlPlane(config.controlPlane);
  const worker = {
    name: workerName,
    kind: "runner",
    pool,
    platform: process.arch === "arm64" ? "linux/arm64" : "linux/amd64",
    version: packageJson.version,
  } as const;
  using _heartbeat = startHeartbeat({ controlPlane: platform, worker, logger });
  const checks = { nats: async () => void (await connection.rtt()), containerd: () => engine.ping() };
  await using _health = config.health === undefined ? undefined : await healthServer(config.health, checks);
  logger.info({ pool, worker: workerName }, "ready for jobs");
  await takeJobs({
    connection,
    catalogue: names,
    logger,
    kind: "run",
    pool,
    concurrency: config.concurrency,
    handle: ({ run }) =>
      executeRun(run, {
        worker: workerName,
        controlPlane: platform,
        connection,
        catalogue: names,
        engine,
        registryHost: registry.host,
        logger,
        signal,
      }),
    signal,
  });
  await connection.drain();
  logger.info("stopped");
}
