/** The builder as a whole: what its attempts stand on, and the jobs that it takes. */
import { randomUUID } from "node:crypto";
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
import { createTreeDirectories } from "./contexts/tree-directories.ts";

/** Takes and makes build jobs until the signal. @throws {LaminaError} UNREACHABLE when NATS is not there at the start */
export async function runBuilder(config: BuilderConfig, signal: AbortSignal): Promise<void> {
  const { tools, caBundle, concurrency, uv } = config;
  const { staging, trees, dockerConfig } = await openState(config);
  // No two builders may have BuildKit keep different files under one name.
  const directories = createTreeDirectories({ directory: trees, prefix: `lamina-files-${randomUUID()}` });
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
      handle: ({ attempt }, surroundings) => runAttempt(attempt, { ...surroundings, buildkit, registry, uv, staging, directories }),
      signal,
    });
  } finally {
    await rm(dockerConfig, { recursive: true, force: true });
    await removeTree(trees);
  }
}

interface State {
  readonly staging: string;
  readonly trees: string;
  readonly dockerConfig: string;
}

/** What a process that died has left is removed. */
async function openState({ state, registry }: BuilderConfig): Promise<State> {
  const staging = join(state, "attempts");
  const trees = join(state, "trees");
  const dockerConfig = join(state, "docker");
  for (const directory of [staging, trees]) {
    await removeTree(directory);
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
  await writeDockerConfig(dockerConfig, { [registry.host]: registry.credentials });
  return { staging, trees, dockerConfig };
}
