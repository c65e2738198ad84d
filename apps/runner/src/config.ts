/** Everything that the runner reads from its environment. */
import { join } from "node:path";
import { readConfig, workerConfig, workerVariables } from "@lamina/service";
import { z } from "zod";
import { CDI_DIRECTORIES } from "./engine/cdi.ts";

const Environment = z.object({
  ...workerVariables,
  /** The socket of containerd. */
  LAMINA_CONTAINERD: z.string().min(1),
  /** The names of the GPUs that functions may have, as CDI devices; of the kind nvidia.com/gpu where they say no other. Separated by commas. */
  LAMINA_GPUS: z.string().optional(),
  /** Directories in which CDI devices are described, separated by colons. */
  LAMINA_CDI: z.string().optional(),
  /** A file of certificate authorities that functions trust, where a proxy inspects HTTPS. */
  LAMINA_CA_BUNDLE: z.string().optional(),
  /** The directory of the harnesses. */
  LAMINA_HARNESS: z.string().default(join(import.meta.dirname, "../harness")),
  /** How many runs there may be at once. */
  LAMINA_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(8),
});

export type RunnerConfig = ReturnType<typeof readRunnerConfig>;

/** @throws {ConfigError} */
export function readRunnerConfig(env: NodeJS.ProcessEnv) {
  const read = readConfig(Environment, env);
  return {
    ...workerConfig(read),
    containerd: read.LAMINA_CONTAINERD,
    concurrency: read.LAMINA_CONCURRENCY,
    gpus: gpusOf(read.LAMINA_GPUS),
    cdi: read.LAMINA_CDI?.split(":").filter(Boolean) ?? CDI_DIRECTORIES,
    caBundle: read.LAMINA_CA_BUNDLE,
    harness: read.LAMINA_HARNESS,
    /** What `ctr` gets of our environment: none of our credentials. */
    // Debian keeps runc and mount's relatives where the PATH of ordinary users does not lead.
    toolEnvironment: { PATH: [env["PATH"] ?? "", "/usr/sbin", "/sbin"].join(":") },
  };
}

function gpusOf(names = ""): string[] {
  return names
    .split(",")
    .filter(Boolean)
    .map((name) => (name.includes("=") ? name : `nvidia.com/gpu=${name}`));
}
