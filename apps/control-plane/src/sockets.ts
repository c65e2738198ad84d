/** WebSockets: the lines of runners, and those of clients that start many calls. */
import {
  badInput,
  CALL_LINE_PATH,
  type Caller,
  LaminaError,
  LINE_PATH,
  StartCallsInput,
  StartOverLine,
  type StartedOverLine,
} from "@lamina/api";
import websocket, { type WebSocket } from "@fastify/websocket";
import type { Logger } from "@lamina/service";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { ControlPlane } from "./control-plane.ts";
import { errorInfo } from "./faults.ts";

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
    await scope.register(websocket, { options: { maxPayload: limitBytes, perMessageDeflate: false } });
    const take = (path: string, role: Caller["role"], accept: (caller: Caller, socket: WebSocket) => void): void => {
      const inRole = (request: FastifyRequest): Caller | undefined => {
        const caller = callerOf(request.headers.authorization);
        return caller?.role === role ? caller : undefined;
      };
      const refuse = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> =>
        inRole(request) ?? reply.code(403).send({ error: forbidden(role).info });
      scope.get(path, { websocket: true, preValidation: refuse }, (socket, request) => {
        const caller = inRole(request);
        if (caller === undefined) socket.terminate();
        else accept(caller, socket);
      });
    };
    take(LINE_PATH, "worker", ({ workspace }, socket) => lines.accept(workspace, socket));
    take(CALL_LINE_PATH, "client", (caller, socket) => startOver(socket, { caller, services, logger }));
  });
}

function forbidden(role: Caller["role"]): LaminaError {
  return new LaminaError({ code: "FORBIDDEN", message: `This needs the token of a ${role}.` });
}

interface CallLine {
  readonly caller: Caller;
  readonly services: ControlPlane["services"];
  readonly logger: Logger;
}

function startOver(socket: WebSocket, { caller, services, logger }: CallLine): void {
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
    socket.send(JSON.stringify(told));
  };
  socket.on("error", (error) => logger.debug({ err: error }, "the line of a client failed"));
  socket.on("message", (data: Buffer) => {
    answer(data.toString()).catch((error: unknown) => {
      logger.warn({ err: error }, "a client sent what is no message of its line");
      socket.terminate();
    });
  });
}
