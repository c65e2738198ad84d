/** Health over HTTP: `/healthz` says that the process runs, `/readyz` what of its surroundings is wrong. */
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { Address } from "./config.ts";

/** Resolves when that part is well, and throws otherwise. */
export type HealthCheck = () => Promise<void>;

export interface HealthServer extends AsyncDisposable {
  /** Where it listens; the port was chosen by the system when 0 was asked for. */
  readonly address: Address;
}

/** `/readyz` answers 200 or 503 with `{"name": "ok" | <what is wrong>}` for each check. */
export async function healthServer(address: Address, checks: Readonly<Record<string, HealthCheck>>): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
    if (request.url === "/healthz") answer(200, { status: "ok" });
    else if (request.url === "/readyz") void runChecks(checks).then(({ ready, results }) => answer(ready ? 200 : 503, results));
    else answer(404, { error: "Ask /healthz or /readyz." });
  });
  server.listen(address.port, address.host);
  await once(server, "listening");
  return {
    address: { host: address.host, port: portOf(server) },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function runChecks(checks: Readonly<Record<string, HealthCheck>>): Promise<{ ready: boolean; results: Record<string, string> }> {
  const results = await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await outcome(check)] as const));
  return { ready: results.every(([, result]) => result === "ok"), results: Object.fromEntries(results) };
}

async function outcome(check: HealthCheck): Promise<string> {
  try {
    await check();
    return "ok";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a health server listens on a TCP port");
  return address.port;
}
