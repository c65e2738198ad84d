/** The line to the control plane (packages/api/src/line.ts): opened again whenever it is lost. */
import { LINE_PATH, PlatformFrame, type RunnerFrame } from "@lamina/api";
import type { Logger } from "@lamina/service";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";

/** One time that the line is open. */
export interface Connection {
  readonly isOpen: boolean;
  /** @returns whether it was open still */
  send(frame: RunnerFrame): boolean;
}

/** Whichever is open. */
export type Line = Connection;

export interface LineOptions {
  /** The control plane's. */
  readonly url: string;
  readonly token: string;
  readonly logger: Logger;
  readonly onOpen: () => void;
  readonly onFrame: (frame: PlatformFrame, connection: Connection) => void;
  /** Closes it for good. */
  readonly signal: AbortSignal;
}

const RETRY_MS = 1_000;
/** The control plane asks every ten seconds whether somebody is there. */
const SILENCE_MS = 30_000;

export function openLine({ url, token, logger, onOpen, onFrame, signal }: LineOptions): Line {
  let open: Connection | undefined;
  const address = new URL(LINE_PATH, url.replace(/^http/, "ws"));

  const connect = (): Promise<void> => {
    const socket = new WebSocket(address, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
    const connection: Connection = {
      get isOpen() {
        return socket.readyState === WebSocket.OPEN;
      },
      send(frame) {
        if (!connection.isOpen) return false;
        socket.send(JSON.stringify(frame));
        return true;
      },
    };
    const silence = setTimeout(() => socket.terminate(), SILENCE_MS);
    const close = (): void => socket.terminate();
    signal.addEventListener("abort", close, { once: true });
    socket.on("ping", () => silence.refresh());
    socket.on("error", (error) => logger.debug({ error: String(error) }, "the line to the control plane is not there"));
    socket.on("open", () => {
      open = connection;
      onOpen();
    });
    socket.on("message", (data: Buffer) => {
      try {
        onFrame(PlatformFrame.parse(JSON.parse(data.toString())), connection);
      } catch (error) {
        logger.warn({ error: String(error) }, "the control plane sent what is no frame of the line");
        socket.terminate();
      }
    });
    return new Promise((resolve) => {
      socket.on("close", () => {
        clearTimeout(silence);
        signal.removeEventListener("abort", close);
        open = undefined;
        resolve();
      });
    });
  };
  void (async () => {
    while (!signal.aborted) {
      await connect();
      await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  })();
  return {
    get isOpen() {
      return open !== undefined;
    },
    send: (frame) => open?.send(frame) ?? false,
  };
}
