/** Reading what containers wrote, from the stream of logs; the cursor is a sequence of that stream. */
import { type FollowLogsInput, LaminaError, LogBatch, type Tracked } from "@lamina/api";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { findApp } from "../apps/find.ts";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import { endsOf, noCalls } from "./row.ts";
import { type LogMessage, messagesAfter, type StreamPlace } from "./log-stream.ts";

type Follow = z.output<typeof FollowLogsInput>;
type LogsContext = Pick<Context, "callStatements" | "database" | "nats" | "logger" | "callWaiters">;

export interface LogsRequest {
  readonly workspace: string;
  readonly follow: Follow;
}

const RETRY_MS = 500;
const WAIT_MS = 20_000;

/**
 * The batches after the cursor: those that are there, and before them, followed, those that come until the call has ended or the signal.
 * @throws {LaminaError} NOT_FOUND, INVALID_INPUT for a cursor that is none
 */
export async function* readLogs(
  context: LogsContext,
  { workspace, follow }: LogsRequest,
  signal: AbortSignal,
): AsyncGenerator<Tracked<LogBatch>> {
  const { nats, logger } = context;
  const place: StreamPlace = { subject: await subjectOf(context, workspace, follow.of), after: positionOf(follow.lastEventId) };
  const [stop, ended] = [new AbortController(), new AbortController()];
  if (!follow.follow) ended.abort();
  else if (follow.of.kind === "call") {
    void abortAtEnd(context, { workspace, call: follow.of.call, ended, signal: AbortSignal.any([signal, stop.signal]) });
  }
  try {
    while (!signal.aborted) {
      // What was in the stream when the call had ended is read to its end; before that, what comes is waited for.
      const last = ended.signal.aborted;
      const until = last ? signal : AbortSignal.any([signal, ended.signal]);
      try {
        for await (const message of messagesAfter(nats, place, { waits: !last, until })) {
          place.after = message.sequence;
          yield* batchIn(message);
        }
        if (last) return;
      } catch (error) {
        logger.warn({ err: error, subject: place.subject }, "logs cannot be read from the stream; trying again");
        await delay(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  } finally {
    stop.abort();
  }
}

/** What a newer runner wrote is shown to nobody. */
function* batchIn({ sequence, text }: LogMessage): Generator<Tracked<LogBatch>> {
  const batch = LogBatch.safeParse(JSON.parse(text));
  if (batch.success) yield { cursor: String(sequence), event: batch.data };
}

interface EndOfCall {
  readonly workspace: string;
  readonly call: string;
  readonly ended: AbortController;
  readonly signal: AbortSignal;
}

/** Aborts when the call has ended. */
async function abortAtEnd(
  { callStatements, callWaiters, logger }: LogsContext,
  { workspace, call, ended, signal }: EndOfCall,
): Promise<void> {
  using waiting = callWaiters.waitFor(workspace, [call]);
  while (!signal.aborted) {
    try {
      waiting.found(await endsOf(callStatements, workspace, [call]));
      if ((await waiting.ends({ forFirst: WAIT_MS, forOthers: 0 }, signal)).length > 0) return ended.abort();
    } catch (error) {
      logger.warn({ err: error, call }, "it cannot be seen whether a call has ended; trying again");
      await delay(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
}

async function subjectOf({ database, nats }: LogsContext, workspace: string, of: Follow["of"]): Promise<string> {
  const { logs } = nats.catalogue;
  if (of.kind === "app") return logs.filterOfApp((await findApp(database, workspace, of.app)).id);
  const [row] = await overOutages(
    () => database.$queryRaw<{ app: string }[]>`
      SELECT f.app_id AS app FROM call c JOIN function_version f ON f.id = c.function_id WHERE c.id = ${of.call} AND c.workspace = ${workspace}`,
  );
  if (row === undefined) throw noCalls([of.call]);
  return logs.subject(row.app, of.call);
}

/** The cursor is the sequence in the stream of the last message that was seen. */
function positionOf(cursor: string | null | undefined): number {
  if (cursor === null || cursor === undefined) return 0;
  const position = z.coerce.number().int().min(0).safeParse(cursor);
  if (!position.success) throw new LaminaError({ code: "INVALID_INPUT", message: "The cursor is none of these logs'." });
  return position.data;
}
