import { runService } from "@lamina/service";
import { readRunnerConfig } from "./config.ts";
import { runRunner } from "./runner.ts";

runService((signal) => runRunner(readRunnerConfig(process.env), signal));
