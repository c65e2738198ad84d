/**
 * The lines of runners, and the permits that they offer (packages/api/src/line.ts).
 *
 * I1: a permit has one call at a time, from when it is given until the runner says how that ended, or that it did not.
 * I2: what a line had when it was lost has not ended, as far as is known here.
 */
import { type FinishCallsInput, type PlatformFrame, RunnerFrame, type Value } from "@lamina/api";
import type { WebSocket } from "@fastify/websocket";
import type { Logger } from "@lamina/service";

export type Outcome = FinishCallsInput["calls"][number];

export interface DirectCall {
  readonly id: string;
  readonly method: string | undefined;
  readonly input: Value;
}

/** A call that a runner has. */
export interface Given {
  /** Of the message whose place it has. */
  readonly permit: string;
  /** How it ended; or that it was given back, or lost with its line. */
  readonly outcome: Promise<Outcome | "back" | "lost">;
  /** Says that it is recorded: its runner tells its end to `calls.finish`. */
  kept(): void;
}

export interface Lines {
  /** Takes the line of a runner, up to its end. */
  accept(workspace: string, socket: WebSocket): void;
  /** Gives a call to a runner that has a permit for it; undefined where none has. */
  give(workspace: string, functionId: string, call: DirectCall): Given | undefined;
}

interface Permit {
  readonly id: string;
  readonly function: string;
  readonly line: Line;
}

interface Line {
  readonly workspace: string;
  readonly permits: Map<string, Permit>;
  /** What is under way on it, by call. */
  readonly given: Map<string, (outcome: Outcome | "back" | "lost") => void>;
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
  const end = (line: Line, call: string, outcome: Outcome | "back"): void => {
    line.given.get(call)?.(outcome);
    line.given.delete(call);
  };

  const onFrame = (line: Line, frame: RunnerFrame): void => {
    switch (frame.type) {
      case "offer": {
        withdraw(line, frame.permit);
        const permit: Permit = { id: frame.permit, function: frame.function, line };
        line.permits.set(permit.id, permit);
        return offer(permit);
      }
      case "withdraw":
        return withdraw(line, frame.permit);
      case "ended": {
        const permit = line.permits.get(frame.permit);
        if (frame.last) withdraw(line, frame.permit);
        else if (permit !== undefined) offer(permit);
        return end(line, frame.outcome.id, frame.outcome);
      }
      case "back":
        withdraw(line, frame.permit);
        return end(line, frame.call, "back");
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
        for (const lose of line.given.values()) lose("lost");
        line.given.clear();
      });
    },
    give(workspace, functionId, { id, method, input }) {
      const permits = free.get(functionId);
      const permit = permits?.at(-1);
      if (permits === undefined || permit === undefined || permit.line.workspace !== workspace) return undefined;
      permits.pop();
      const { line } = permit;
      const outcome = new Promise<Outcome | "back" | "lost">((resolve) => line.given.set(id, resolve));
      line.send({ type: "call", permit: permit.id, call: id, method, input });
      return { permit: permit.id, outcome, kept: () => line.send({ type: "kept", call: id }) };
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
