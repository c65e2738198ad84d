/**
 * The lines of runners, and the permits that they offer (packages/api/src/line.ts).
 *
 * I1: a permit has the calls of one giving at a time, until the runner has said of each how it ended, or that it did not.
 * I2: what a line had when it was lost has not ended, as far as is known here.
 */
import { type CallMessage, type FinishCallsInput, type PlatformFrame, RunnerFrame } from "@lamina/api";
import type { WebSocket } from "@fastify/websocket";
import type { Logger } from "@lamina/service";

export type Outcome = FinishCallsInput["calls"][number];

/** Who gave calls to a runner, and is told what becomes of them. */
export interface Giver {
  readonly onEnded: (outcomes: readonly Outcome[]) => void;
  /** The runner has not got these any more. */
  readonly onBack: (ids: readonly string[]) => void;
  /** What the runner has is not known any more. */
  readonly onLost: () => void;
}

/** Calls that a runner has. */
export interface Given {
  /** Of the message whose place they have. */
  readonly permit: string;
  /** Says that they are recorded: their runner tells their ends to `calls.finish`. */
  kept(): void;
}

export interface Lines {
  /** Takes the line of a runner, up to its end. */
  accept(workspace: string, socket: WebSocket): void;
  /** How many permits for a function version nobody uses. */
  free(workspace: string, functionId: string): number;
  /** Gives calls to a runner that has a permit for them; undefined where none has. */
  give(functionId: string, calls: CallMessage, giver: Giver): Given | undefined;
}

interface Permit {
  readonly id: string;
  readonly function: string;
  readonly line: Line;
}

interface Line {
  readonly workspace: string;
  readonly permits: Map<string, Permit>;
  /** What is under way on it, by permit. */
  readonly given: Map<string, { readonly giver: Giver; readonly left: Set<string> }>;
  send(frame: PlatformFrame): void;
}

export interface LinesOptions {
  readonly logger: Logger;
  /** Closes all. */
  readonly signal: AbortSignal;
}

/** A line whose other end does not answer for so long is taken for lost. */
const PING_MS = 10_000;

export function createLines({ logger, signal }: LinesOptions): Lines {
  /** The free permits of a function version, the one that was used last at the end. */
  const free = new Map<string, Permit[]>();
  const offer = (permit: Permit): void => {
    const others = free.get(permit.function);
    if (others === undefined) free.set(permit.function, [permit]);
    else others.push(permit);
  };
  const withdraw = (line: Line, id: string): void => {
    const permit = line.permits.get(id);
    if (permit === undefined) return;
    line.permits.delete(id);
    const others = (free.get(permit.function) ?? []).filter((other) => other !== permit);
    if (others.length > 0) free.set(permit.function, others);
    else free.delete(permit.function);
  };
  /** Strikes calls off. @returns who gave them */
  const strike = (line: Line, id: string, calls: readonly string[]): Giver | undefined => {
    const given = line.given.get(id);
    for (const call of calls) given?.left.delete(call);
    if (given?.left.size !== 0) return given?.giver;
    line.given.delete(id);
    const permit = line.permits.get(id);
    if (permit !== undefined) offer(permit);
    return given.giver;
  };

  const onFrame = (line: Line, frame: RunnerFrame): void => {
    const { permit: id } = frame;
    switch (frame.type) {
      case "offer": {
        withdraw(line, id);
        const permit: Permit = { id, function: frame.function, line };
        line.permits.set(id, permit);
        return offer(permit);
      }
      case "withdraw":
        return withdraw(line, id);
      case "ended": {
        const ids = frame.calls.map((call) => call.id);
        return strike(line, id, ids)?.onEnded(frame.calls);
      }
      case "back":
        withdraw(line, id);
        return strike(line, id, frame.calls)?.onBack(frame.calls);
    }
  };

  return {
    accept(workspace, socket) {
      const line: Line = { workspace, permits: new Map(), given: new Map(), send: (frame) => socket.send(JSON.stringify(frame)) };
      let isAlive = true;
      const ping = setInterval(() => {
        if (!isAlive) return socket.terminate();
        isAlive = false;
        socket.ping();
      }, PING_MS);
      const close = (): void => socket.terminate();
      signal.addEventListener("abort", close, { once: true });
      socket.on("pong", () => (isAlive = true));
      socket.on("error", (error) => logger.warn({ err: error }, "the line of a runner failed"));
      socket.on("message", (data: Buffer) => {
        const frame = frameIn(data.toString());
        if (frame !== undefined) return onFrame(line, frame);
        logger.warn("a runner sent what is no frame of its line");
        socket.terminate();
      });
      socket.on("close", () => {
        clearInterval(ping);
        signal.removeEventListener("abort", close);
        for (const id of line.permits.keys()) withdraw(line, id);
        const lost = [...line.given.values()];
        line.given.clear();
        for (const { giver } of lost) giver.onLost();
      });
    },
    free(workspace, functionId) {
      const permits = free.get(functionId);
      return permits?.[0]?.line.workspace === workspace ? permits.length : 0;
    },
    give(functionId, calls, giver) {
      const permit = free.get(functionId)?.pop();
      if (permit === undefined) return undefined;
      const { id, line } = permit;
      line.given.set(id, { giver, left: new Set(calls.calls.map((call) => call.id)) });
      line.send({ type: "calls", permit: id, ...calls });
      return {
        permit: id,
        kept() {
          // They may have ended since, and others have the permit, which are not recorded.
          if (line.given.get(id)?.giver === giver) line.send({ type: "kept", permit: id });
        },
      };
    },
  };
}

function frameIn(text: string): RunnerFrame | undefined {
  try {
    return RunnerFrame.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
