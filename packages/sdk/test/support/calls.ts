/** The calls of a platform in memory, behind the real router over HTTP: handlers run in this process, as the test says. */
import { once } from "node:events";
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import {
  CALL_LINE_PATH,
  type CallEnd,
  type EndedCall,
  JSON_VALUE,
  LaminaError,
  laminaError,
  router,
  RPC_PATH,
  type Services,
  StartCallsInput,
  type StartedOverLine,
  StartOverLine,
  type Value,
  VALUES_PATH,
} from "@lamina/api";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { type WebSocket, WebSocketServer } from "ws";
import { decodeValue, encodeValue } from "../../src/values/codec.ts";

export interface Asked {
  readonly id: string;
  readonly args: readonly unknown[];
  readonly signal: AbortSignal;
}

export interface CallsPlatform extends AsyncDisposable {
  /** What is done for a call; what is thrown ends it as an exception does. By "app.function" or "app.function.method". */
  readonly handlers: Map<string, (asked: Asked) => unknown>;
  /** How many calls each request started. */
  readonly started: number[];
  readonly cancelled: Set<string>;
  /** Requests, in all. */
  requests: number;
  /** Starts that came over lines. */
  overLine: number;
  /** Starts that said that they come again. */
  again: number;
  /** Whether there are lines. */
  hasLines: boolean;
  /** Ends all lines, without an answer to what they brought. */
  loseLines(): void;
}

/** Ends a call as the platform itself does. */
export class EndedBy extends Error {
  readonly end: CallEnd;
  constructor(end: CallEnd) {
    super("ended by the platform");
    this.end = end;
  }
}

/** Until it is disposed of, this is the platform that LAMINA_URL names. */
export async function callsPlatform(): Promise<CallsPlatform> {
  const ends = new Map<string, Promise<CallEnd>>();
  const known = new Map<string, CallEnd>();
  const running = new Map<string, AbortController>();
  const values = new Map<string, Buffer>();
  const handlers: CallsPlatform["handlers"] = new Map();
  const started: number[] = [];
  const cancelled = new Set<string>();

  const textOf = (value: Value) => ("data" in value ? value.data : String(values.get(value.object)));
  const valueOf = (result: unknown): Value => {
    const data = encodeValue(result);
    if (data.length < 1_000) return { type: JSON_VALUE, data };
    const object = randomUUID();
    values.set(object, Buffer.from(data));
    return { type: JSON_VALUE, object, bytes: data.length };
  };
  const run = async (handler: (asked: Asked) => unknown, id: string, input: Value): Promise<CallEnd> => {
    const controller = new AbortController();
    running.set(id, controller);
    const { promise: gone, resolve: leave } = Promise.withResolvers<CallEnd>();
    controller.signal.addEventListener("abort", () => leave({ state: "cancelled" }));
    const work = async (): Promise<CallEnd> => {
      try {
        const { args } = Object(decodeValue(textOf(input)));
        return { state: "done", result: valueOf(await handler({ id, args, signal: controller.signal })) };
      } catch (error) {
        if (error instanceof EndedBy) return error.end;
        const thrown = error instanceof Error ? error : new Error(String(error));
        const exception = {
          type: thrown.name,
          message: thrown.message,
          stack: `${thrown.name}: ${thrown.message}\n    at work (user.ts:3:5)`,
        };
        return { state: "failed", error: { code: "CALL_FAILED", message: thrown.message, exception } };
      }
    };
    return Promise.race([work(), gone]);
  };
  const endedOf = (ids: readonly string[]): EndedCall[] =>
    ids.flatMap((id) => {
      const end = known.get(id);
      return end === undefined ? [] : [{ id, end }];
    });
  const waited = async (
    ids: readonly string[],
    { waitMs, all }: { readonly waitMs: number; readonly all: boolean },
  ): Promise<EndedCall[]> => {
    const open = ids.flatMap((id) => (known.has(id) ? [] : (ends.get(id) ?? [])));
    const isEnough = all ? open.length === 0 : open.length < ids.length;
    if (isEnough || waitMs === 0) return endedOf(ids);
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, waitMs);
    await Promise.race([all ? Promise.all(open) : Promise.race(open), late.promise]);
    clearTimeout(timer);
    return endedOf(ids);
  };

  const services: Services = {
    ...refusing,
    calls: {
      ...refusing.calls,
      async start(_, { app, function: name, method, calls, waitMs, again = false }) {
        if (again) platform.again += 1;
        const handler = handlers.get([app, name, method].filter((part) => part !== undefined).join("."));
        if (handler === undefined) throw new LaminaError({ code: "NOT_FOUND", message: `There is no app ${app}.` });
        started.push(calls.length);
        for (const { id, input } of calls) {
          if (ends.has(id)) continue;
          const end = run(handler, id, input);
          ends.set(id, end);
          void end.then((value) => known.set(id, value));
        }
        return waited(
          calls.map(({ id }) => id),
          { waitMs, all: true },
        );
      },
      wait: async (_, { ids, waitMs }) => waited(ids, { waitMs, all: false }),
      cancel: async (_, { ids }) => {
        for (const id of ids) {
          cancelled.add(id);
          running.get(id)?.abort();
        }
      },
    },
  };
  const rpc = createHTTPHandler({
    router,
    basePath: `${RPC_PATH}/`,
    createContext: () => ({ services, caller: { workspace: "default", role: "client" as const } }),
  });
  const platform = { requests: 0, overLine: 0, again: 0, hasLines: true };
  const server = createServer((request, response) => {
    platform.requests += 1;
    if (request.url === "/over-line") return response.end(String(platform.overLine));
    if (request.url?.startsWith(VALUES_PATH) !== true) return rpc(request, response);
    const object = request.url.slice(VALUES_PATH.length + 1);
    if (request.method === "GET") return response.end(values.get(object));
    void buffer(request).then((body) => {
      const name = randomUUID();
      values.set(name, body);
      response.end(JSON.stringify({ object: name, bytes: body.length }));
    });
  });
  const lines = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (!platform.hasLines || request.url !== CALL_LINE_PATH) return socket.destroy();
    lines.handleUpgrade(request, socket, head, (line) => line.on("message", (data: Buffer) => void startOver(line, data.toString())));
  });
  const startOver = async (line: WebSocket, text: string): Promise<void> => {
    platform.overLine += 1;
    const { number, start } = StartOverLine.parse(JSON.parse(text));
    const told: StartedOverLine = await services.calls
      .start({ workspace: "default", role: "client" }, StartCallsInput.parse(start))
      .then((ended) => ({ number, ended }))
      .catch((thrown: unknown) => ({ number, error: laminaError(thrown).info }));
    line.send(JSON.stringify(told));
  };
  const loseLines = (): void => lines.clients.forEach((line) => line.terminate());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("it listens on a TCP port");
  process.env["LAMINA_URL"] = `http://127.0.0.1:${address.port}`;
  process.env["LAMINA_TOKEN"] = "token";
  return Object.assign(platform, {
    loseLines,
    handlers,
    started,
    cancelled,
    async [Symbol.asyncDispose]() {
      delete process.env["LAMINA_URL"];
      delete process.env["LAMINA_TOKEN"];
      loseLines();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  });
}

const refuse = async (): Promise<never> => {
  throw new LaminaError({ code: "INTERNAL", message: "Not asked for in these tests." });
};
// eslint-disable-next-line require-yield -- it only refuses
async function* refuseToFollow(): AsyncGenerator<never> {
  await refuse();
}
const refusing: Services = {
  platform: { info: refuse, heartbeat: refuse },
  images: { plan: refuse, list: refuse },
  contexts: { missingFiles: refuse, commitTree: refuse },
  builds: { start: refuse, get: refuse, list: refuse, cancel: refuse, follow: refuseToFollow },
  secrets: { set: refuse, list: refuse, remove: refuse },
  runs: { start: refuse, cancel: refuse, follow: refuseToFollow, claim: refuse, renew: refuse, finish: refuse },
  attempts: { claim: refuse, renew: refuse, publish: refuse, finish: refuse, release: refuse },
  shells: { open: refuse, write: refuse, resize: refuse, seen: refuse, close: refuse, follow: refuseToFollow },
  apps: { deploy: refuse, list: refuse, get: refuse, stop: refuse, keep: refuse },
  calls: {
    start: refuse,
    wait: refuse,
    get: refuse,
    list: refuse,
    cancel: refuse,
    logs: refuseToFollow,
    started: refuse,
    carried: refuse,
    sendApart: refuse,
    finish: refuse,
  },
  functions: { list: refuse, secrets: refuse },
};
