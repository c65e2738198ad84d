/** The runner as a whole: what its runs stand on, and the jobs that it takes. */
import { join } from "node:path";
import { runWorker, workerLogger } from "@lamina/service";
import packageJson from "../package.json" with { type: "json" };
import type { RunnerConfig } from "./config.ts";
import { containerdEngine } from "./engine/containerd.ts";
import { writeRegistryHosts } from "./engine/registry-hosts.ts";
import { executeRun } from "./execute-run.ts";

/** Takes and executes run jobs until the signal. @throws {LaminaError} UNREACHABLE when NATS is not there at the start */
export async function runRunner(config: RunnerConfig, signal: AbortSignal): Promise<void> {
  const { workerName, namespace, registry, state, tools, concurrency } = config;
  const logger = workerLogger("run", config);
  const hosts = join(state, "registries");
  await writeRegistryHosts(hosts, registry);
  const engine = containerdEngine({
    program: tools === undefined ? "ctr" : join(tools, "ctr"),
    address: config.containerd,
    hosts,
    pipes: join(state, "pipes"),
    owner: `${namespace}/${workerName}`,
    environment: config.toolEnvironment,
    onLeftover: (message) => logger.warn(message),
  });
  await engine.removeLeftovers();
  await runWorker({
    kind: "run",
    config,
    version: packageJson.version,
    logger,
    concurrency,
    gpus: 0,
    checks: { containerd: () => engine.ping() },
    handle: ({ run }, surroundings) => executeRun(run, { ...surroundings, engine }),
    signal,
  });
}
