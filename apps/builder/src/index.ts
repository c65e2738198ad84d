export { runBuilder } from "./builder.ts";
export { type BuilderConfig, readBuilderConfig } from "./config.ts";
