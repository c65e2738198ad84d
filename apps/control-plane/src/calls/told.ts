/**
 * The ends of calls that their callers were told of before they were recorded, on their way into the database: those of a moment together, and
 * over any outage of Postgres.
 */
import { type CallEnd, LaminaError } from "@lamina/api";
import type { Logger } from "@lamina/service";
import { setTimeout as delay } from "node:timers/promises";
import { overOutages } from "../database/database.ts";
import type { Statements } from "../database/statements.ts";
import { Prisma } from "../generated/client.ts";

export interface ToldEnd {
  readonly id: string;
  readonly workspace: string;
  readonly functionId: string;
  /** Of the app, when it was called. */
  readonly version: number;
  readonly method: string | undefined;
  readonly end: CallEnd;
  /** Milliseconds since 1970, as the next one. */
  readonly createdAt: number;
  readonly startedAt: number;
}

export interface ToldEnds {
  /** Whether so many are not recorded that no more should be told. */
  readonly isFull: boolean;
  record(end: ToldEnd): void;
  /** Resolves when all that were told up to now are recorded. @throws {LaminaError} UNREACHABLE where they cannot be */
  recorded(): Promise<void>;
  /** Whether that call is not recorded yet. */
  has(id: string): boolean;
}

export interface ToldEndsOptions {
  readonly statements: Statements;
  readonly logger: Logger;
  /** Told of function versions that calls have reached and that are replaced. */
  readonly onReplaced: () => void;
  /** What cannot be recorded then is given up. */
  readonly signal: AbortSignal;
}

const MOST = 1_000;
const AT_ONCE = 200;
/** So long they are gathered. */
const MOMENT_MS = 10;
const RETRY_MS = 500;

export function createToldEnds({ statements, logger, onReplaced, signal }: ToldEndsOptions): ToldEnds {
  /** By call, in the order in which they were told. */
  const waiting = new Map<string, ToldEnd>();
  let recording: Promise<void> | undefined;
  /** Who waits for the last of those that were told up to then. */
  let askers: { readonly last: string; readonly resolve: () => void; readonly reject: (reason: unknown) => void }[] = [];

  async function recordAll(): Promise<void> {
    await delay(MOMENT_MS, undefined, { signal }).catch(() => {});
    while (waiting.size > 0) {
      const batch = [...waiting.values()].slice(0, AT_ONCE);
      try {
        await recordBatch(batch);
        for (const { id } of batch) waiting.delete(id);
        askers = askers.filter(({ last, resolve }) => {
          if (waiting.has(last)) return true;
          resolve();
          return false;
        });
      } catch (error) {
        for (const { reject } of askers.splice(0)) reject(error);
        if (signal.aborted) return logger.error({ err: error, calls: waiting.size }, "calls that have ended are in no record");
        logger.warn({ err: error, calls: waiting.size }, "calls that have ended cannot be recorded yet");
        await delay(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** @throws when the database cannot be reached */
  async function recordBatch(batch: readonly ToldEnd[]): Promise<void> {
    try {
      const active = await overOutages(() => insert(statements, batch));
      if (batch.some(({ functionId }) => !active.has(functionId))) onReplaced();
    } catch (error) {
      if (error instanceof LaminaError) throw error;
      const [one, ...others] = batch;
      if (others.length > 0) {
        for (const end of batch) await recordBatch([end]);
      } else logger.error({ err: error, call: one?.id }, "a call that has ended cannot be recorded, and is in no record");
    }
  }

  return {
    get isFull() {
      return waiting.size >= MOST;
    },
    record(end) {
      waiting.set(end.id, end);
      recording ??= recordAll().finally(() => (recording = undefined));
    },
    has: (id) => waiting.has(id),
    recorded() {
      const last = [...waiting.keys()].at(-1);
      if (last === undefined) return Promise.resolve();
      return new Promise((resolve, reject) => askers.push({ last, resolve, reject }));
    },
  };
}

/** @returns the function versions among theirs that are active */
async function insert(statements: Statements, ends: readonly ToldEnd[]): Promise<ReadonlySet<string>> {
  const column = <T>(of: (end: ToldEnd) => T): T[] => ends.map(of);
  const rows = await statements.rows<{ id: string }>(Prisma.sql`
    WITH inserted AS (
      INSERT INTO call (id, workspace, function_id, version, method, state, result, error, created_at, started_at, ended_at)
      SELECT t.id, t.workspace, t.function, t.version, t.method, t.state::call_state, t.result::json, t.error::json,
        to_timestamp(t.created / 1000), to_timestamp(t.started / 1000), now()
      FROM unnest(
        ${column(({ id }) => id)}::text[], ${column(({ workspace }) => workspace)}::text[], ${column(({ functionId }) => functionId)}::text[],
        ${column(({ version }) => version)}::int[], ${column(({ method }) => method ?? null)}::text[], ${column(({ end }) => end.state)}::text[],
        ${column(({ end }) => (end.state === "done" ? JSON.stringify(end.result) : null))}::text[],
        ${column(({ end }) => (end.state === "failed" ? JSON.stringify(end.error) : null))}::text[],
        ${column(({ createdAt }) => createdAt)}::float8[], ${column(({ startedAt }) => startedAt)}::float8[]
      ) AS t (id, workspace, function, version, method, state, result, error, created, started)
      ON CONFLICT (id) DO NOTHING
    )
    SELECT id FROM function_version WHERE id = ANY(${[...new Set(column(({ functionId }) => functionId))]}) AND state = 'active'`);
  return new Set(rows.map(({ id }) => id));
}
