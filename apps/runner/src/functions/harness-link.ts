/** The connection to the harness of one container. */
import { chmodSync, closeSync, openSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { encodeFrame, frameReader, type HarnessFrame } from "./frames.ts";

export interface HarnessLink {
  /** Sends a frame, now or as soon as the harness is there. */
  send(frame: object, body?: Uint8Array): void;
  /** Takes nothing more from the harness until then. */
  hold(until: Promise<void>): void;
  close(): void;
}

export interface HarnessLinkOptions {
  /** Where the socket is made. */
  readonly directory: string;
  readonly onFrame: (frame: HarnessFrame, body: Buffer) => void;
  /** What came was no frame. */
  readonly onFault: (error: unknown) => void;
}

/** Listens for the harness, which connects once. */
export async function listenForHarness({ directory, onFrame, onFault }: HarnessLinkOptions): Promise<HarnessLink> {
  const early: Buffer[] = [];
  let socket: Socket | undefined;
  const server = createServer((connected) => {
    // Whatever else may connect is not the harness.
    if (socket !== undefined) return void connected.destroy();
    socket = connected;
    const read = frameReader(onFrame);
    connected.on("data", (chunk) => {
      try {
        read(chunk);
      } catch (error) {
        onFault(error);
      }
    });
    // That it ends is told by the container's.
    connected.on("error", () => undefined);
    for (const frame of early) connected.write(frame);
  });
  // By way of the directory's descriptor, since the name of a socket is short.
  const descriptor = openSync(directory, "r");
  try {
    const path = `/proc/self/fd/${descriptor}/socket`;
    server.listen(path);
    await once(server, "listening");
    chmodSync(path, 0o666);
  } finally {
    closeSync(descriptor);
  }
  return {
    send(frame, body) {
      const bytes = encodeFrame(frame, body);
      if (socket === undefined) early.push(bytes);
      else socket.write(bytes);
    },
    hold(until) {
      socket?.pause();
      void until.finally(() => socket?.resume());
    },
    close() {
      socket?.destroy();
      server.close();
    },
  };
}
