/** The other end of a runner's line, as the control plane has it: it keeps what comes, and sends what a test says. */
import type { Server } from "node:http";
import { LINE_PATH, PlatformFrame, RunnerFrame } from "@lamina/api";
import { type WebSocket, WebSocketServer } from "ws";

export interface TestLine {
  /** What runners sent, in order. */
  readonly frames: readonly RunnerFrame[];
  /** Takes lines at a server, from those who have the token. */
  attach(server: Server, token: string): void;
  /** Resolves when a runner has opened a line. */
  opened(): Promise<void>;
  send(frame: PlatformFrame): void;
  /** Loses the line that there is. While none is taken, runners do not get another one. */
  lose(options?: { readonly takesNone: boolean }): Promise<void>;
  /** Takes lines again. */
  take(): void;
  /** Resolves to what is found in the frames that have come, or will. */
  find<T>(look: (frames: readonly RunnerFrame[]) => T | undefined): Promise<T>;
  close(): void;
}

export function testLine(): TestLine {
  const frames: RunnerFrame[] = [];
  const lookers = new Set<() => void>();
  const sockets = new Set<WebSocket>();
  let takesNone = false;

  const look = (): void => {
    for (const looker of lookers) looker();
  };
  const find = <T>(wanted: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const looker = (): void => {
        const found = wanted();
        if (found === undefined) return;
        lookers.delete(looker);
        resolve(found);
      };
      lookers.add(looker);
      looker();
    });

  return {
    frames,
    attach(server, token) {
      const lines = new WebSocketServer({
        server,
        path: LINE_PATH,
        verifyClient: ({ req }: { readonly req: { readonly headers: { readonly authorization?: string } } }) =>
          !takesNone && req.headers.authorization === `Bearer ${token}`,
      });
      lines.on("connection", (socket) => {
        sockets.add(socket);
        socket.on("message", (data: Buffer) => {
          frames.push(RunnerFrame.parse(JSON.parse(data.toString())));
          look();
        });
        socket.on("close", () => {
          sockets.delete(socket);
          look();
        });
        look();
      });
    },
    async opened() {
      await find(() => sockets.size > 0 || undefined);
    },
    send(frame) {
      const socket = [...sockets].at(-1);
      if (socket === undefined) throw new Error("no runner has a line");
      socket.send(JSON.stringify(PlatformFrame.parse(frame)));
    },
    async lose(options = { takesNone: false }) {
      ({ takesNone } = options);
      const lost = [...sockets];
      for (const socket of lost) socket.terminate();
      await find(() => lost.every((socket) => !sockets.has(socket)) || undefined);
    },
    take() {
      takesNone = false;
    },
    find: (wanted) => find(() => wanted(frames)),
    close() {
      for (const socket of sockets) socket.terminate();
    },
  };
}
