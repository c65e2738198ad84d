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
/** How often it is looked whether an app is stopped still. */
const LOOK_MS = 1_000;
/** What an app writes when it is stopped has come by then: its containers may take ten seconds to clean up. */
const LAST_LINES_SECONDS = 15;

/**
 * The batches after the cursor: those that are there, and before them, followed, those that come until the call or the app has ended, or the signal.
 * @throws {LaminaError} NOT_FOUND, INVALID_INPUT for a cursor that is none
 */
export async function* readLogs(
  context: LogsContext,
  { workspace, follow }: LogsRequest,
  signal: AbortSignal,
): AsyncGenerator<Tracked<LogBatch>> {
  const { nats, logger } = context;
  const { subject, hasEnded } = await followed(context, workspace, follow.of);
  const place: StreamPlace = { subject, after: positionOf(follow.lastEventId) };
  const [stop, ended] = [new AbortController(), new AbortController()];
  if (!follow.follow) ended.abort();
  else void abortAtEnd(logger, { subject, hasEnded, ended, signal: AbortSignal.any([signal, stop.signal]) });
  try {
    while (!signal.aborted) {
      // What was in the stream at the end is read to its end; before that, what comes is waited for.
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

interface Followed {
  readonly subject: string;
  /** Whether nothing more comes; waits a while for that. */
  readonly hasEnded: (signal: AbortSignal) => Promise<boolean>;
}

interface EndOfFollowed extends Followed {
  readonly ended: AbortController;
  readonly signal: AbortSignal;
}

async function abortAtEnd(logger: LogsContext["logger"], { subject, hasEnded, ended, signal }: EndOfFollowed): Promise<void> {
  while (!signal.aborted) {
    try {
      if (await hasEnded(signal)) return ended.abort();
    } catch (error) {
      logger.warn({ err: error, subject }, "it cannot be seen whether logs have ended; trying again");
      await delay(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
}

async function followed(context: LogsContext, workspace: string, of: Follow["of"]): Promise<Followed> {
  const { database, nats, callStatements, callWaiters } = context;
  const { logs } = nats.catalogue;
  if (of.kind === "app") {
    const { id } = await findApp(database, workspace, of.app);
    return { subject: logs.filterOfApp(id), hasEnded: (signal) => hasAppEnded(database, id, signal) };
  }
  const { call } = of;
  const [row] = await overOutages(
    () => database.$queryRaw<{ app: string }[]>`
      SELECT f.app_id AS app FROM call c JOIN function_version f ON f.id = c.function_id WHERE c.id = ${call} AND c.workspace = ${workspace}`,
  );
  if (row === undefined) throw noCalls([call]);
  return {
    subject: logs.subject(row.app, call),
    async hasEnded(signal) {
      using waiting = callWaiters.waitFor(workspace, [call]);
      waiting.found(await endsOf(callStatements, workspace, [call]));
      return (await waiting.ends({ forFirst: WAIT_MS, forOthers: 0 }, signal)).length > 0;
    },
  };
}

async function hasAppEnded(database: LogsContext["database"], id: string, signal: AbortSignal): Promise<boolean> {
  const going = await database.$queryRaw<unknown[]>`
    SELECT id FROM app
    WHERE id = ${id} AND (state <> 'stopped' OR heard_at > clock_timestamp() - make_interval(secs => ${LAST_LINES_SECONDS}::float8))`;
  if (going.length === 0) return true;
  await delay(LOOK_MS, undefined, { signal }).catch(() => {});
  return false;
}

/** The cursor is the sequence in the stream of the last message that was seen. */
function positionOf(cursor: string | null | undefined): number {
  if (cursor === null || cursor === undefined) return 0;
  const position = z.coerce.number().int().min(0).safeParse(cursor);
  if (!position.success) throw new LaminaError({ code: "INVALID_INPUT", message: "The cursor is none of these logs'." });
  return position.data;
}
