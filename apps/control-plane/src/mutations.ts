/**
 * The router's mutations over HTTP, as tRPC has them: JSON in the body, `{"result": {"data": …}}` or `{"error": …}` in the answer. tRPC's own
 * adapter makes a request and an answer of `fetch` for each, with streams, which takes longer than starting a call does.
 */
import { router, type RouterContext, RPC_PATH } from "@lamina/api";
import { callTRPCProcedure, getTRPCErrorFromUnknown, getTRPCErrorShape, TRPCError } from "@trpc/server";
import { getHTTPStatusCodeFromError } from "@trpc/server/http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Answers mutations, each in the context of its request; its signal ends with the connection. */
export async function serveMutations(server: FastifyInstance, createContext: (request: FastifyRequest) => RouterContext): Promise<void> {
  await server.register(async (scope) => {
    // Read below, so that what is no JSON is answered as the router answers.
    scope.removeContentTypeParser("application/json");
    scope.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => done(null, body));
    scope.post<{ Params: { path: string } }>(`${RPC_PATH}/:path`, (request, reply) => answer(request, reply, createContext(request)));
  });
}

async function answer(
  { params: { path }, body }: FastifyRequest<{ Params: { path: string } }>,
  reply: FastifyReply,
  ctx: RouterContext,
): Promise<unknown> {
  const { raw } = reply;
  const left = new AbortController();
  raw.once("close", () => {
    if (!raw.writableFinished) left.abort();
  });
  const call = { router, path, ctx, type: "mutation", getRawInput: async () => parse(body), signal: left.signal, batchIndex: 0 } as const;
  try {
    const data: unknown = await callTRPCProcedure(call);
    return { result: { data } };
  } catch (thrown) {
    const error = getTRPCErrorFromUnknown(thrown);
    const shape = getTRPCErrorShape({ config: router._def._config, error, type: "mutation", path, input: undefined, ctx });
    return reply.code(getHTTPStatusCodeFromError(error)).send({ error: shape });
  }
}

function parse(body: unknown): unknown {
  if (typeof body !== "string") throw new TRPCError({ code: "UNSUPPORTED_MEDIA_TYPE", message: "The body has to be JSON." });
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new TRPCError({ code: "BAD_REQUEST", message: "The body is no JSON.", cause });
  }
}
