/** WebSockets: the lines of runners, and those of clients that start many calls. */
import { badInput, CALL_LINE_PATH, type Caller, LINE_PATH, StartCallsInput, StartOverLine, type StartedOverLine } from "@lamina/api";
import websocket, { type WebSocket } from "@fastify/websocket";
import type { Logger } from "@lamina/service";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { ControlPlane } from "./control-plane.ts";
import { errorInfo } from "./faults.ts";
import { forbidden } from "./tokens.ts";

interface SocketOptions {
  readonly controlPlane: Pick<ControlPlane, "callerOf" | "lines" | "services">;
  readonly logger: Logger;
  /** The largest message. */
  readonly limitBytes: number;
}

export async function serveSockets(
  server: FastifyInstance,
  { controlPlane: { callerOf, lines, services }, logger, limitBytes }: SocketOptions,
): Promise<void> {
  await server.register(async (scope) => {
    await scope.register(websocket, {
      options: { maxPayload: limitBytes, perMessageDeflate: false },
      // Who does not answer is not waited for: both ends stand it that their line is lost.
      preClose(done) {
        for (const socket of this.websocketServer.clients) socket.terminate();
        done();
      },
    });
    const take = (path: string, role: Caller["role"], accept: (caller: Caller, socket: WebSocket) => void): void => {
      const inRole = (request: FastifyRequest): Caller | undefined => {
        const caller = callerOf(request.headers.authorization);
        return caller?.role === role ? caller : undefined;
      };
      const refuse = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> =>
        inRole(request) ?? reply.code(403).send({ error: forbidden(role).info });
      scope.get(path, { websocket: true, preValidation: refuse }, (socket, request) => {
        const caller = inRole(request);
        if (caller === undefined) return socket.terminate();
        endWhenSilent(socket);
        accept(caller, socket);
      });
    };
    take(LINE_PATH, "worker", ({ workspace }, socket) => lines.accept(workspace, socket));
    take(CALL_LINE_PATH, "client", (caller, socket) => startOver(socket, { caller, services, logger }));
  });
}

interface CallLine {
  readonly caller: Caller;
  readonly services: ControlPlane["services"];
  readonly logger: Logger;
}

/** What does not answer for so long is taken for lost. */
const PING_MS = 10_000;

function endWhenSilent(socket: WebSocket): void {
  let isAlive = true;
  const ping = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, PING_MS);
  socket.on("pong", () => (isAlive = true));
  socket.on("close", () => clearInterval(ping));
}

/** Of one client, at once; what comes beyond waits in its connection. */
const MOST_REQUESTS = 2_000;

function startOver(socket: WebSocket, { caller, services, logger }: CallLine): void {
  let requests = 0;
  const answer = async (text: string): Promise<void> => {
    const { number, start } = StartOverLine.parse(JSON.parse(text));
    let told: StartedOverLine;
    try {
      const input = StartCallsInput.safeParse(start);
      if (!input.success) throw badInput("invalid-request", z.prettifyError(input.error));
      told = { number, ended: await services.calls.start(caller, input.data) };
    } catch (thrown) {
      told = { number, error: errorInfo(logger, thrown) };
    }
    // Until it has gone out, so that who reads nothing gets nothing more.
    await new Promise<void>((resolve) => socket.send(JSON.stringify(told), () => resolve()));
  };
  socket.on("error", (error) => logger.debug({ err: error }, "the line of a client failed"));
  socket.on("message", (data: Buffer) => {
    requests += 1;
    if (requests === MOST_REQUESTS) socket.pause();
    answer(data.toString())
      .catch((error: unknown) => {
        logger.warn({ err: error }, "a client sent what is no message of its line");
        socket.terminate();
      })
      .finally(() => {
        requests -= 1;
        if (socket.isPaused) socket.resume();
      });
  });
}
