/** HTTP: the router under {@link RPC_PATH}, packs under {@link PACK_PATH}; `/healthz` says that the process runs, `/readyz` whether Postgres and NATS answer. */
import { type ErrorInfo, faultInfo, LaminaError, PACK_PATH, router, type RouterContext, RPC_PATH } from "@lamina/api";
import type { Logger } from "@lamina/service";
import { fastifyTRPCPlugin, type FastifyTRPCPluginOptions } from "@trpc/server/adapters/fastify";
import fastify, { type FastifyInstance } from "fastify";
import type { Readable } from "node:stream";
import type { ControlPlane } from "./control-plane.ts";
import { reportFault } from "./faults.ts";

/** A tree of 100,000 entries has some 20 MB. */
const BODY_LIMIT_BYTES = 256 * 1024 * 1024;

export async function createServer(controlPlane: ControlPlane, logger: Logger): Promise<FastifyInstance> {
  const { services, packs, callerOf, checkHealth } = controlPlane;
  const server = fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true, routerOptions: { maxParamLength: 5_000 } });
  server.addContentTypeParser("*", (_request, payload, done) => done(null, payload));

  const trpcOptions: FastifyTRPCPluginOptions<typeof router>["trpcOptions"] = {
    router,
    createContext: ({ req }): RouterContext => ({
      services,
      caller: callerOf(req.headers.authorization),
      reportFault: (cause) => reportFault(logger, cause),
    }),
  };
  await server.register(fastifyTRPCPlugin, { prefix: RPC_PATH, trpcOptions });

  server.post<{ Body: Readable }>(PACK_PATH, async (request, reply) => {
    try {
      const caller = callerOf(request.headers.authorization);
      if (caller === null)
        throw new LaminaError({ code: "UNAUTHORIZED", message: "The request carries no valid token. Check LAMINA_TOKEN." });
      if (caller.role !== "client") throw new LaminaError({ code: "FORBIDDEN", message: "This needs the token of a client." });
      return await packs.take(caller.workspace, bytesOf(request.body));
    } catch (thrown) {
      const info = errorOf(thrown, logger);
      // On a connection that is used again, the next request comes behind the rest of the body.
      request.raw.resume();
      return reply.code(HTTP_STATUS[info.code] ?? 500).send({ error: info });
    }
  });
  server.get("/healthz", () => ({ status: "ok" }));
  server.get("/readyz", async (_request, reply) => {
    try {
      await checkHealth();
      return { status: "ok" };
    } catch (error) {
      return reply.code(503).send({ status: error instanceof Error ? error.message : String(error) });
    }
  });
  return server;
}

/** A body that is destroyed before its end leaves its connection open, and what comes on it unread. */
function bytesOf(body: Readable): AsyncIterable<Uint8Array> {
  return body.iterator({ destroyOnReturn: false });
}

const HTTP_STATUS: Partial<Record<ErrorInfo["code"], number>> = {
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  CONTEXT_CORRUPT: 422,
  REGISTRY_UNAVAILABLE: 502,
};

function errorOf(thrown: unknown, logger: Logger): ErrorInfo {
  return thrown instanceof LaminaError ? thrown.info : faultInfo(reportFault(logger, thrown));
}
