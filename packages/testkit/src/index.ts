export { freshDatabase, type TestDatabase } from "./database.ts";
export { freshNamespace } from "./namespace.ts";
export { base, servers, uv } from "./client.ts";
export { testPlatform, type PlatformOptions, type TestPlatform } from "./platform.ts";
