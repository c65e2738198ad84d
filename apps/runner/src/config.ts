/** Everything that the runner reads from its environment. */
import { readConfig, workerConfig, workerVariables } from "@lamina/service";
import { z } from "zod";

const Environment = z.object({
  ...workerVariables,
  /** The socket of containerd. */
  LAMINA_CONTAINERD: z.string().min(1),
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
    /** What `ctr` gets of our environment: none of our credentials. */
    toolEnvironment: { PATH: env["PATH"] ?? "" },
  };
}
