import { runService } from "@lamina/service";
import { runBuilder } from "./builder.ts";
import { readBuilderConfig } from "./config.ts";

runService((signal) => runBuilder(readBuilderConfig(process.env), signal));
