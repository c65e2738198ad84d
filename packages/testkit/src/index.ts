export { freshDatabase, type TestDatabase } from "./database.ts";
export { freshNamespace } from "./namespace.ts";
export { base, servers } from "./client.ts";
