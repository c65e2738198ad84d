/** The other ends of the control plane's WebSockets: the line of a runner that does what a test says, and that of a client. */
import { LINE_PATH, PlatformFrame, type RunnerFrame } from "@lamina/api";
import { once } from "node:events";
import { WebSocket } from "ws";
import { done } from "./functions.ts";

type CallsFrame = Extract<PlatformFrame, { type: "calls" }>;
type RunnerEnd = Extract<RunnerFrame, { type: "ended" }>["calls"][number]["end"];

export interface FakeLine extends AsyncDisposable {
  /** Resolves when the control plane has read it. */
  send(frame: RunnerFrame): Promise<void>;
  /** Offers permits for a function version. */
  offer(functionId: string, ...permits: readonly string[]): Promise<void>;
  /** Tells the ends of all calls that were given, or of some of them. */
  ended(given: CallsFrame, end?: RunnerEnd, ids?: readonly string[]): Promise<void>;
  /** Gives back all calls that were given. */
  back(given: CallsFrame): Promise<void>;
  /** The next calls that are given; nothing else comes before them. */
  calls(): Promise<CallsFrame>;
  /** The next frame. */
  next(): Promise<PlatformFrame>;
  /** The frames that have come and were not asked for, when all that was sent up to now has been read and answered. */
  unread(): Promise<readonly PlatformFrame[]>;
  /** Ends calls with their inputs as they come. */
  serve(): void;
  /** As when the runner is gone. */
  cut(): Promise<void>;
}

/** Opens a WebSocket. @throws when it is refused */
export async function openSocket(url: string, path: string, token?: string): Promise<WebSocket> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const socket = new WebSocket(new URL(path, url.replace(/^http/, "ws")), { headers });
  await once(socket, "open");
  return socket;
}

export async function fakeLine(url: string, token: string): Promise<FakeLine> {
  const socket = await openSocket(url, LINE_PATH, token);
  const frames: PlatformFrame[] = [];
  let onFrame = (): void => undefined;
  let onCalls: ((given: CallsFrame) => void) | undefined;
  socket.on("message", (data: Buffer) => {
    const frame = PlatformFrame.parse(JSON.parse(data.toString()));
    if (frame.type === "calls" && onCalls !== undefined) return onCalls(frame);
    frames.push(frame);
    onFrame();
  });
  /** What comes before the answer to a ping was read, and what was sent before that answer has come. */
  const settled = async (): Promise<void> => {
    const pong = once(socket, "pong");
    socket.ping();
    await pong;
  };
  const tell = (frame: RunnerFrame): void => socket.send(JSON.stringify(frame));
  const outcomes = ({ calls }: CallsFrame, end: (call: CallsFrame["calls"][number]) => RunnerEnd) =>
    calls.map((call) => ({ id: call.id, delivery: 1, startedAt: Date.now(), tookMs: 1, end: end(call) }));
  const line: FakeLine = {
    async send(frame) {
      tell(frame);
      await settled();
    },
    async offer(functionId, ...permits) {
      for (const permit of permits) tell({ type: "offer", permit, function: functionId });
      await settled();
    },
    async ended(given, end = done("directly"), ids = given.calls.map(({ id }) => id)) {
      const calls = outcomes(given, () => end).filter(({ id }) => ids.includes(id));
      await line.send({ type: "ended", permit: given.permit, calls });
    },
    back: (given) => line.send({ type: "back", permit: given.permit, calls: given.calls.map(({ id }) => id) }),
    async calls() {
      const frame = await line.next();
      if (frame.type !== "calls") throw new Error(`${frame.type} came where calls were expected.`);
      return frame;
    },
    async next() {
      for (;;) {
        const frame = frames.shift();
        if (frame !== undefined) return frame;
        await new Promise<void>((resolve) => (onFrame = resolve));
      }
    },
    async unread() {
      await settled();
      return frames;
    },
    serve() {
      onCalls = (given) => {
        const calls = outcomes(given, ({ input }) => ({ state: "done", result: input }));
        tell({ type: "ended", permit: given.permit, calls });
      };
      for (const given of frames.splice(0)) if (given.type === "calls") onCalls(given);
    },
    async cut() {
      const closed = once(socket, "close");
      socket.terminate();
      await closed;
    },
    async [Symbol.asyncDispose]() {
      if (socket.readyState !== WebSocket.CLOSED) await line.cut();
    },
  };
  return line;
}
