/** The builder as a whole: what its attempts stand on, and the jobs that it takes. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { CA_SECRET } from "@lamina/ir";
import { createRegistry } from "@lamina/registry";
import { runWorker, workerLogger } from "@lamina/service";
import packageJson from "../package.json" with { type: "json" };
import { runAttempt } from "./attempt/run-attempt.ts";
import { buildctl } from "./buildkit/buildctl.ts";
import { writeDockerConfig } from "./buildkit/docker-config.ts";
import type { BuilderConfig } from "./config.ts";
import { removeTree } from "./contexts/remove-tree.ts";

/** Takes and makes build jobs until the signal. @throws {LaminaError} UNREACHABLE when NATS is not there at the start */
export async function runBuilder(config: BuilderConfig, signal: AbortSignal): Promise<void> {
  const { tools, caBundle, concurrency, uv } = config;
  const { staging, dockerConfig } = await openState(config);
  const registry = createRegistry(config.registry);
  const buildkit = buildctl({
    program: tools === undefined ? "buildctl" : join(tools, "buildctl"),
    address: config.buildkit,
    environment: { ...config.toolEnvironment, DOCKER_CONFIG: dockerConfig },
    secretFiles: caBundle === undefined ? {} : { [CA_SECRET]: caBundle },
  });
  try {
    await runWorker({
      kind: "build",
      config,
      version: packageJson.version,
      logger: workerLogger("build", config),
      concurrency,
      checks: { buildkit: () => buildkit.ping() },
      handle: ({ attempt }, surroundings) => runAttempt(attempt, { ...surroundings, buildkit, registry, uv, staging }),
      signal,
    });
  } finally {
    await rm(dockerConfig, { recursive: true, force: true });
  }
}

/** What attempts of a process that died have left is removed. */
async function openState({ state, registry }: BuilderConfig): Promise<{ staging: string; dockerConfig: string }> {
  const staging = join(state, "attempts");
  const dockerConfig = join(state, "docker");
  await removeTree(staging);
  await mkdir(staging, { recursive: true, mode: 0o700 });
  await writeDockerConfig(dockerConfig, { [registry.host]: registry.credentials });
  return { staging, dockerConfig };
}
