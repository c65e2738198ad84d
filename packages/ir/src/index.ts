export * from "./builder-version.ts";
export * from "./canonical.ts";
export * from "./definition-error.ts";
export * from "./layer.ts";
export * from "./lower/index.ts";
export * from "./operation.ts";
export * from "./resolve.ts";
export * from "./tree.ts";
