/**
 * One shell, from its request to its end.
 *
 * I1: it goes on as long as somebody follows it. What ends it before its command does ends its container.
 * I2: its last event is there until it was seen, or nobody follows any more.
 */
import {
  type LaminaError,
  laminaError,
  ShellMessage,
  type ShellAnswer,
  type ShellEvent,
  type ShellRequest,
  UNFOLLOWED_SECONDS,
} from "@lamina/api";
import type { WorkerSurroundings } from "@lamina/service";
import type { Msg } from "@nats-io/transport-node";
import type { OutputStream } from "../engine/engine.ts";
import type { AttendedContainer } from "../engine/function-containers.ts";
import { runShell, type ShellContext } from "./container.ts";
import { shellEvents } from "./events.ts";
import { shellInput } from "./input.ts";

export interface Shell {
  /** Resolves when nothing is left of it. */
  readonly gone: Promise<void>;
  /** Ends it, and says why. */
  end(reason: LaminaError): void;
}

type ShellSurroundings = Pick<WorkerSurroundings, "connection" | "catalogue" | "worker" | "logger">;

/** Nobody wants to hear of its end. */
class Unwanted extends Error {
  override readonly name = "Unwanted";
}

const LOOK_MS = 1_000;

/** From its return on, the shell takes messages. */
export function openShell(request: ShellRequest, context: ShellContext, surroundings: ShellSurroundings): Shell {
  const { connection, catalogue, worker } = surroundings;
  const { id, workspace } = request;
  const logger = surroundings.logger.child({ shell: id });
  const over = new AbortController();
  const subject = catalogue.shells.events(workspace, id);
  const events = shellEvents((event) => connection.publish(subject, JSON.stringify(event)));
  const input = shellInput();
  let container: AttendedContainer | undefined;
  let size = request.terminal;
  let followedAt = performance.now();

  /** What comes after that is not wanted, and nobody waits to say it. */
  const cutOff = new Promise<void>((resolve) => over.signal.addEventListener("abort", () => resolve(), { once: true }));
  const show = (stream: OutputStream, bytes: Buffer): Promise<void> | undefined => {
    if (over.signal.aborted) return undefined;
    const room = events.add({ type: "shell-output", stream, data: bytes.toString("base64") });
    return room && Promise.race([room, cutOff]);
  };
  const leave = (why: string): void => {
    over.abort(new Unwanted(why));
    events.abandon();
  };

  async function take(message: ShellMessage): Promise<ShellAnswer> {
    switch (message.type) {
      case "follow":
        followedAt = performance.now();
        events.sendAgain(message.after);
        return TAKEN;
      case "write":
        return { taken: await input.write(message) };
      case "resize":
        if (size !== undefined) size = { ...size, columns: message.columns, rows: message.rows };
        container?.resize(message);
        return TAKEN;
      case "seen":
        events.seen(message.event);
        return TAKEN;
      case "close":
        leave("it was closed");
        return TAKEN;
    }
  }

  async function answer(message: Msg): Promise<void> {
    const said = parsed(message);
    if (said === undefined) logger.error({ subject: message.subject }, "what came for a shell is no message");
    else message.respond(JSON.stringify(await take(said)));
  }

  const messages = connection.subscribe(catalogue.shells.messages(workspace, id), {
    callback(error, message) {
      if (error === null) void answer(message);
    },
  });
  const look = setInterval(() => {
    if (performance.now() - followedAt > UNFOLLOWED_SECONDS * 1_000) leave("nobody follows it");
  }, LOOK_MS);

  async function live(): Promise<ShellEvent> {
    const exit = await runShell(
      {
        request,
        onOutput: show,
        onPreparing: (what) => void events.add({ type: "shell-preparing", what }),
        onRunning(started) {
          container = started;
          if (size !== undefined && size !== request.terminal) started.resize(size);
          void events.add({ type: "shell-started", runner: worker });
          input.openTo(started);
        },
        signal: over.signal,
      },
      context,
    );
    const memoryMib = request.of.kind === "function" ? request.of.function.memoryMib : undefined;
    return {
      type: "shell-exited",
      exitCode: exit.exitCode,
      ...(exit.outOfMemory && memoryMib !== undefined && { outOfMemoryMib: memoryMib }),
    };
  }

  async function run(): Promise<void> {
    const end = await live().catch((error: unknown) => {
      if (error instanceof Unwanted) return error;
      return { type: "shell-failed" as const, error: laminaError(error).info };
    });
    if (end instanceof Unwanted) logger.info({ reason: end.message }, "a shell was ended");
    else {
      logger.info({ end }, "a shell has ended");
      void events.add(end);
      await events.allSeen();
    }
    clearInterval(look);
    messages.unsubscribe();
  }

  logger.info({ of: request.of.kind === "image" ? request.of.image.digest : request.of.function.name }, "opens a shell");
  return { gone: run(), end: (reason) => over.abort(reason) };
}

const TAKEN: ShellAnswer = { taken: true };

function parsed(message: Msg): ShellMessage | undefined {
  try {
    return ShellMessage.parse(message.json());
  } catch {
    return undefined;
  }
}
