/**
 * The connections to the harness of one container: one to it and one from it. Were they one, what the harness has answered would be lost
 * once something is sent to a harness that is gone.
 */
import { chmodSync, closeSync, openSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { encodeFrame, frameReader, type HarnessFrame } from "./frames.ts";

export interface HarnessLink {
  /** Sends a frame, now or as soon as the harness is there. */
  send(frame: object, body?: Uint8Array): void;
  /** Takes nothing more from the harness until then. */
  hold(until: Promise<void>): void;
  /** Resolves when all that the harness has sent is read, and nothing more can come; at once where it never connected. */
  drained(): Promise<void>;
  close(): void;
}

export interface HarnessLinkOptions {
  /** Where the socket is made. */
  readonly directory: string;
  readonly onFrame: (frame: HarnessFrame, body: Buffer) => void;
  /** What came was no frame. */
  readonly onFault: (error: unknown) => void;
}

/** Listens for the harness, which connects once for what is sent to it, and once more for what it sends. */
export async function listenForHarness({ directory, onFrame, onFault }: HarnessLinkOptions): Promise<HarnessLink> {
  const early: Buffer[] = [];
  let calls: Socket | undefined;
  let answers: Socket | undefined;
  const server = createServer((connected) => {
    // That it ends is told by the container's.
    connected.on("error", () => undefined);
    if (calls === undefined) {
      calls = connected.resume();
      for (const frame of early) connected.write(frame);
      return;
    }
    // Whatever else may connect is not the harness.
    if (answers !== undefined) return void connected.destroy();
    answers = connected;
    const read = frameReader(onFrame);
    connected.on("data", (chunk) => {
      try {
        read(chunk);
      } catch (error) {
        onFault(error);
      }
    });
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
      if (calls === undefined) early.push(bytes);
      else writeTogether(calls, bytes);
    },
    hold(until) {
      answers?.pause();
      void until.finally(() => answers?.resume());
    },
    async drained() {
      if (answers !== undefined && !answers.closed) await once(answers, "close");
    },
    close() {
      calls?.destroy();
      answers?.destroy();
      server.close();
    },
  };
}

/** What is written in one turn of the event loop goes out as one. */
function writeTogether(socket: Socket, bytes: Buffer): void {
  if (socket.writableCorked === 0) {
    socket.cork();
    setImmediate(() => socket.uncork());
  }
  socket.write(bytes);
}
