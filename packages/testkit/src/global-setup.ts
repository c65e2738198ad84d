import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { readTestConfig } from "./config.ts";
import { sharedServers, type SharedServers } from "./shared-servers.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where test files ask for the run's servers: `<url>/servers`, `<url>/bases/<python>`, `<url>/uv/<version>`. */
    laminaTestkit: string;
  }
}

/**
 * Runs once for a whole test run, in vitest's main process. It starts no servers itself: test files ask for
 * them over HTTP, and the first to ask starts them, so that pure tests never wait.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = sharedServers(readTestConfig());
  // The path is a secret, since the answers hold credentials.
  const secretPath = `/${randomBytes(24).toString("base64url")}`;
  const server = createServer((request, response) => void answer(shared, request.url?.slice(secretPath.length), response));
  server.on("request", (request: IncomingMessage) => request.socket.unref());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  project.provide("laminaTestkit", `http://127.0.0.1:${portOf(server.address())}${secretPath}`);
  return async () => {
    server.close();
    server.closeAllConnections();
    await shared.stop();
  };
}

async function answer(shared: SharedServers, path: string | undefined, response: ServerResponse): Promise<void> {
  try {
    const value = await valueAt(shared, path ?? "");
    response.writeHead(value === undefined ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(value ?? null));
  } catch (error) {
    response.writeHead(500).end(error instanceof Error ? error.message : String(error));
  }
}

async function valueAt(shared: SharedServers, path: string): Promise<unknown> {
  if (path === "/servers") return shared.addresses();
  const [, kind, version] = /^\/(bases|uv)\/([\d.]+)$/.exec(path) ?? [];
  if (version === undefined) return undefined;
  return kind === "uv" ? shared.uv(version) : shared.base(version);
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("The test kit's server has no port.");
  return address.port;
}
