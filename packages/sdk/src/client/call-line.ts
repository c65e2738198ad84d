/**
 * The line over which calls are started by who starts many (packages/api/src/call-line.ts). It is opened behind the first call, and where it
 * cannot be, or is lost, calls go over HTTP.
 */
import { CALL_LINE_PATH, type EndedCall, LaminaError, type StartCallsInput, StartedOverLine, type StartOverLine } from "@lamina/api";
import { TRPCClientError } from "@trpc/client";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { WebSocket } from "ws";
import type { PlatformAddress } from "./platform.ts";

export interface CallLine {
  /** Opens the line, if it is not open, for calls to come. */
  open(): void;
  /** Starts calls over the line; undefined where it is not open. @throws {TRPCClientError} when it was lost before an answer came */
  start(input: StartCallsInput, signal: AbortSignal | undefined): Promise<EndedCall[]> | undefined;
}

/** How long it is left alone when it could not be opened. */
const AGAIN_MS = 10_000;

/** The platform asks every ten seconds whether somebody is there. */
const SILENCE_MS = 30_000;

interface Waiting {
  readonly resolve: (ended: EndedCall[]) => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: () => void;
}

export function callLine({ url, token }: PlatformAddress): CallLine {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let line: { readonly web: WebSocket; readonly tcp: Socket } | undefined;
  let notBefore = 0;

  const settle = (number: number): Waiting | undefined => {
    const one = waiting.get(number);
    waiting.delete(number);
    one?.signal?.removeEventListener("abort", one.onAbort);
    // A process that waits for nothing may end.
    if (waiting.size === 0) line?.tcp.unref();
    return one;
  };
  const onMessage = (text: string): void => {
    const answer = StartedOverLine.parse(JSON.parse(text));
    const one = settle(answer.number);
    if ("ended" in answer) one?.resolve(answer.ended);
    else one?.reject(new LaminaError(answer.error));
  };

  async function connect(): Promise<void> {
    // Most programs start no second call.
    const { WebSocket } = await import("ws");
    const address = new URL(CALL_LINE_PATH, url);
    const [host, port] = [address.hostname.replace(/^\[|\]$/g, ""), Number(address.port || (address.protocol === "https:" ? 443 : 80))];
    // An address is no name that a certificate is asked for by.
    const servername = isIP(host) === 0 ? host : "";
    const tcp = address.protocol === "https:" ? connectTls({ host, port, servername }) : connectTcp({ host, port });
    tcp.unref().setNoDelay(true);
    const web = new WebSocket(address.href.replace(/^http/, "ws"), {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      createConnection: () => tcp,
    });
    const silence = setTimeout(() => web.terminate(), SILENCE_MS).unref();
    web.on("ping", () => silence.refresh());
    web.on("open", () => (line = { web, tcp }));
    web.on("message", (data: Buffer) => {
      try {
        onMessage(data.toString());
      } catch {
        // What answers is no platform of this kind.
        web.terminate();
      }
    });
    // A reason of why it is closed; that it is says the next event.
    web.on("error", () => undefined);
    web.on("close", () => {
      clearTimeout(silence);
      line = undefined;
      notBefore = performance.now() + AGAIN_MS;
      for (const number of waiting.keys()) settle(number)?.reject(TRPCClientError.from(new Error("the connection was lost")));
    });
  }

  return {
    open() {
      if (line !== undefined || performance.now() < notBefore) return;
      notBefore = Infinity;
      connect().catch(() => (notBefore = performance.now() + AGAIN_MS));
    },
    start(input, signal) {
      if (line === undefined || signal?.aborted === true) return undefined;
      const { web, tcp } = line;
      last += 1;
      const number = last;
      const message: StartOverLine = { number, start: input };
      return new Promise((resolve, reject) => {
        if (waiting.size === 0) tcp.ref();
        const onAbort = (): void => settle(number)?.reject(TRPCClientError.from(new Error("nobody waits for it any more")));
        waiting.set(number, { resolve, reject, signal, onAbort });
        signal?.addEventListener("abort", onAbort, { once: true });
        web.send(JSON.stringify(message));
      });
    },
  };
}
