/** The runner as a whole: what its runs stand on, and the jobs that it takes. */
import { join } from "node:path";
import { LaminaError } from "@lamina/api";
import { createRegistry } from "@lamina/registry";
import { runWorker, workerLogger } from "@lamina/service";
import packageJson from "../package.json" with { type: "json" };
import type { RunnerConfig } from "./config.ts";
import { containerdEngine } from "./engine/containerd.ts";
import { createCtr } from "./engine/ctr.ts";
import {
  reasonAgainstFunctions,
  refusingContainers,
  type RuncContainers,
  runcContainers,
  type RuncContainersOptions,
} from "./engine/runc-containers.ts";
import { writeRegistryHosts } from "./engine/registry-hosts.ts";
import { executeRun } from "./execute-run.ts";
import { codeIn } from "./functions/code.ts";
import { gpusOf } from "./functions/gpus.ts";
import { serveFunctions } from "./functions/serve.ts";
import { serveShells } from "./shells/serve.ts";

/** Takes and executes run jobs until the signal. @throws {LaminaError} UNREACHABLE when NATS is not there at the start */
export async function runRunner(config: RunnerConfig, signal: AbortSignal): Promise<void> {
  const { workerName, namespace, registry, state, tools, concurrency } = config;
  const logger = workerLogger("run", config);
  const hosts = join(state, "registries");
  await writeRegistryHosts(hosts, registry);
  const client = {
    program: tools === undefined ? "ctr" : join(tools, "ctr"),
    address: config.containerd,
    environment: config.toolEnvironment,
  };
  const owner = `${namespace}/${workerName}`;
  const onLeftover = (message: string): void => logger.warn(message);
  const engine = containerdEngine({ ...client, hosts, pipes: join(state, "pipes"), owner, onLeftover });
  await engine.removeLeftovers();
  await using containers = await functionContainers({ engine, ctr: createCtr(client), owner, onLeftover, config });
  const { promise: lost, reject: lose } = Promise.withResolvers<never>();
  lost.catch(() => undefined);
  void containers.lost.then((reason) =>
    lose(new LaminaError({ code: "INTERNAL", message: `All containers of functions were lost: ${reason}` })),
  );
  const shared = {
    containers,
    pool: config.pool,
    code: codeIn(join(state, "functions", "code"), createRegistry(registry)),
    gpus: gpusOf(config.gpus),
    harness: config.harness,
    caBundle: config.caBundle,
  };
  const platform = config.controlPlane;
  const working = runWorker({
    kind: "run",
    config,
    version: packageJson.version,
    logger,
    concurrency,
    gpus: config.gpus.length,
    checks: { containerd: () => engine.ping() },
    alongside: async (surroundings) => {
      await Promise.all([serveFunctions({ ...shared, platform, graceMs: CALL_GRACE_MS }, surroundings), serveShells(shared, surroundings)]);
    },
    handle: ({ run }, surroundings) => executeRun(run, { ...surroundings, engine }),
    signal,
  });
  await Promise.race([working, lost]);
}

/** Of the time that a process has to stop. */
const CALL_GRACE_MS = 12_000;

type FunctionsOptions = Pick<RuncContainersOptions, "engine" | "ctr" | "owner" | "onLeftover"> & { readonly config: RunnerConfig };

async function functionContainers({ config, ...options }: FunctionsOptions): Promise<RuncContainers> {
  // Root needs no way in.
  const enter = process.getuid?.() === 0 ? [] : [join(config.tools ?? "", "enter")];
  const reason = reasonAgainstFunctions(enter);
  if (reason !== undefined) return refusingContainers(reason);
  const directory = join(config.state, "functions");
  return runcContainers({ ...options, directory, enter, environment: config.toolEnvironment, cdi: config.cdi });
}
