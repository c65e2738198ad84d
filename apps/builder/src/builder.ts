/** The builder as a whole: what its attempts stand on, and the jobs that it takes. */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CA_SECRET } from "@lamina/ir";
import { createRegistry } from "@lamina/registry";
import { createTreeDirectories, type Logger, removeTree, runWorker, workerLogger } from "@lamina/service";
import packageJson from "../package.json" with { type: "json" };
import { runAttempt } from "./attempt/run-attempt.ts";
import { buildctl } from "./buildkit/buildctl.ts";
import type { BuildKit } from "./buildkit/buildkit.ts";
import { linkDockerConfig } from "./buildkit/docker-config.ts";
import type { BuilderConfig } from "./config.ts";

/** Takes and makes build jobs until the signal. @throws {LaminaError} UNREACHABLE when NATS is not there at the start */
export async function runBuilder(config: BuilderConfig, signal: AbortSignal): Promise<void> {
  const { tools, caBundle, concurrency, gpus, uv } = config;
  const { staging, trees, dockerConfig } = await openState(config);
  // No two builders may have BuildKit keep different files under one name.
  const directories = createTreeDirectories({ directory: trees, prefix: `lamina-files-${randomUUID()}` });
  const registry = createRegistry(config.registry);
  const buildkit = buildctl({
    program: tools === undefined ? "buildctl" : join(tools, "buildctl"),
    address: config.buildkit,
    environment: { ...config.toolEnvironment, DOCKER_CONFIG: dockerConfig },
    registries: { [config.registry.host]: config.registry.credentials },
    owner: `${config.namespace}/${config.workerName}`,
    secretFiles: caBundle === undefined ? {} : { [CA_SECRET]: caBundle },
  });
  const logger = workerLogger("build", config);
  const ended = new AbortController();
  const tidying = deleteAbandonedRecords(buildkit, logger, AbortSignal.any([signal, ended.signal]));
  try {
    await runWorker({
      kind: "build",
      config,
      version: packageJson.version,
      logger,
      concurrency,
      gpus: gpus.length,
      checks: { buildkit: () => buildkit.ping() },
      handle: ({ attempt }, surroundings) =>
        runAttempt(attempt, { ...surroundings, buildkit, registry, uv, state: config.state, gpus, staging, directories }),
      signal,
    });
  } finally {
    ended.abort();
    await tidying;
    await rm(dockerConfig, { recursive: true, force: true });
    await removeTree(trees);
  }
}

/** Until it has worked, since BuildKit may be away. */
async function deleteAbandonedRecords(buildkit: BuildKit, logger: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      return await buildkit.deleteAbandonedRecords(signal);
    } catch (error) {
      if (!signal.aborted) logger.warn({ reason: String(error) }, "records of an earlier builder could not be deleted yet");
      await delay(TIDY_AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

const TIDY_AGAIN_MS = 5_000;

interface State {
  readonly staging: string;
  readonly trees: string;
  readonly dockerConfig: string;
}

/** What a process that died has left is removed. */
async function openState({ state }: BuilderConfig): Promise<State> {
  const staging = join(state, "attempts");
  const trees = join(state, "trees");
  const dockerConfig = join(state, "docker");
  for (const directory of [staging, trees]) {
    await removeTree(directory);
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
  await linkDockerConfig(dockerConfig);
  return { staging, trees, dockerConfig };
}
