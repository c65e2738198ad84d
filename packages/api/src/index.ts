export * from "./catalogue.ts";
export * from "./client-error.ts";
export * from "./contexts.ts";
export * from "./errors.ts";
export * from "./reasons.ts";
export * from "./events.ts";
export * from "./router.ts";
export * from "./services.ts";
