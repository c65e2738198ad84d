export { readRunnerConfig, type RunnerConfig } from "./config.ts";
export { runRunner } from "./runner.ts";
