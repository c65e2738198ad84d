/** What tests of other packages may use, by way of `@lamina/testkit`. */
export { type HttpServer, serve } from "./http-server.ts";
export { privateRegistry, type PrivateRegistry } from "./private-registry.ts";
