/** HTTP: the router under {@link RPC_PATH}, packs under {@link PACK_PATH}, large values of calls under {@link VALUES_PATH}, WebSockets (sockets.ts); `/healthz` says that the process runs, `/readyz` whether Postgres and NATS answer. */
import { type Caller, type ErrorInfo, LaminaError, PACK_PATH, router, type RouterContext, RPC_PATH, VALUES_PATH } from "@lamina/api";
import type { Logger } from "@lamina/service";
import { fastifyRequestHandler } from "@trpc/server/adapters/fastify";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { Readable } from "node:stream";
import type { ControlPlane } from "./control-plane.ts";
import { errorInfo, reportFault } from "./faults.ts";
import { serveMutations } from "./mutations.ts";
import { serveSockets } from "./sockets.ts";
import { forbidden } from "./tokens.ts";

/** A tree of 100,000 entries has some 20 MB. */
const BODY_LIMIT_BYTES = 256 * 1024 * 1024;

export async function createServer(controlPlane: ControlPlane, logger: Logger): Promise<FastifyInstance> {
  const { services, packs, values, callerOf, checkHealth } = controlPlane;
  const server = fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true, routerOptions: { maxParamLength: 5_000 } });
  server.addContentTypeParser("*", (_request, payload, done) => done(null, payload));

  const contextOf = (request: FastifyRequest): RouterContext => ({
    services,
    caller: callerOf(request.headers.authorization),
    reportFault: (cause) => reportFault(logger, cause),
  });
  await serveMutations(server, contextOf);
  server.get<{ Params: { path: string } }>(`${RPC_PATH}/:path`, (req, res) =>
    fastifyRequestHandler({ router, createContext: () => contextOf(req), req, res, path: req.params.path }),
  );

  /** The answer to a request of somebody who has a token; a failure is answered as one. */
  const answer = async (request: FastifyRequest, reply: FastifyReply, work: (caller: Caller) => Promise<unknown>): Promise<unknown> => {
    try {
      return await work(requireCaller(callerOf(request.headers.authorization)));
    } catch (thrown) {
      const info = errorInfo(logger, thrown);
      // On a connection that is used again, the next request comes behind the rest of the body.
      request.raw.resume();
      return reply.code(HTTP_STATUS[info.code] ?? 500).send({ error: info });
    }
  };
  server.post<{ Body: Readable }>(PACK_PATH, (request, reply) =>
    answer(request, reply, (caller) => {
      if (caller.role !== "client") throw forbidden("client");
      return packs.take(caller.workspace, bytesOf(request.body));
    }),
  );
  await server.register(async (scope) => {
    // Whatever its type, a value is bytes here.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    scope.post<{ Body: Readable | undefined }>(VALUES_PATH, (request, reply) =>
      answer(request, reply, ({ workspace }) => values.put(workspace, bytesOf(request.body ?? Readable.from([])))),
    );
    scope.get<{ Params: { object: string } }>(`${VALUES_PATH}/:object`, (request, reply) =>
      answer(request, reply, async ({ workspace }) => {
        const bytes = await values.get(workspace, request.params.object);
        return reply.type("application/octet-stream").send(Readable.fromWeb(bytes));
      }),
    );
  });
  await serveSockets(server, { controlPlane, logger, limitBytes: BODY_LIMIT_BYTES });
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

function requireCaller(caller: Caller | null): Caller {
  if (caller !== null) return caller;
  throw new LaminaError({ code: "UNAUTHORIZED", message: "The request carries no valid token. Check LAMINA_TOKEN." });
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
  VALUE_UNREADABLE: 404,
};
