import { createLogger } from "@lamina/service";
import { createServer } from "../../src/server.ts";
import type { TestControlPlane } from "./platform.ts";

/** Serves a control plane over HTTP. */
export async function serve(platform: TestControlPlane): Promise<AsyncDisposable & { readonly url: string }> {
  const server = await createServer(platform, createLogger({ name: "test", level: "silent" }));
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return { url, [Symbol.asyncDispose]: () => server.close() };
}
