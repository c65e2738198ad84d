/** Everything that the builder reads from its environment. */
import { CPU_POOL } from "@lamina/api";
import { ALL_GPUS } from "@lamina/ir";
import { readConfig, workerConfig, workerVariables } from "@lamina/service";
import { z } from "zod";

const Environment = z.object({
  ...workerVariables,
  /** Of BuildKit, as `buildctl --addr` takes it. */
  LAMINA_BUILDKIT: z.string().min(1),
  /** The directory that has `uv-<version>/uv`. */
  LAMINA_UV: z.string().min(1),
  /** A file of certificate authorities for what runs in a build, where a proxy inspects HTTPS. */
  LAMINA_CA_BUNDLE: z.string().optional(),
  /** The names of the GPUs that steps may have, as CDI devices of the kind nvidia.com/gpu, separated by commas; in a GPU pool one that stands for all by default. */
  LAMINA_GPUS: z.string().optional(),
  /** How many attempts are made at once. */
  LAMINA_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(1),
});

export type BuilderConfig = ReturnType<typeof readBuilderConfig>;

/** @throws {ConfigError} */
export function readBuilderConfig(env: NodeJS.ProcessEnv) {
  const read = readConfig(Environment, env);
  return {
    ...workerConfig(read),
    gpus: gpusOf(read),
    buildkit: read.LAMINA_BUILDKIT,
    uv: read.LAMINA_UV,
    caBundle: read.LAMINA_CA_BUNDLE,
    concurrency: read.LAMINA_CONCURRENCY,
    toolEnvironment: toolEnvironment(env),
  };
}

function gpusOf({ LAMINA_GPUS, LAMINA_POOL }: z.output<typeof Environment>): string[] {
  if (LAMINA_GPUS === undefined) return LAMINA_POOL === CPU_POOL ? [] : [ALL_GPUS];
  return LAMINA_GPUS.split(",").filter(Boolean);
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
