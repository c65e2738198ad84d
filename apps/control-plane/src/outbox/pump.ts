/**
 * The pump of the outbox. A message is deleted in the transaction that locked it, after it was sent;
 * whoever dies in between leaves it to the next sweep, so handlers have to stand being called twice.
 */
import type { Logger } from "@lamina/service";
import { type Database, overOutages, type Transaction } from "../database/database.ts";
import { OutboxMessage, type OutboxKind } from "./messages.ts";

export interface PumpOptions {
  readonly database: Database;
  readonly logger: Logger;
  /** Kinds that go out apart from the others, so that a slow registry does not hold up jobs. Many go out at once, in no order. */
  readonly lane: readonly OutboxKind[];
  /** Sends one message; `id` is the same each time that it is tried. */
  readonly send: (message: OutboxMessage, id: string) => Promise<void>;
}

export interface Pump {
  /** Sends what is due, now. Calls while it is at work make it look once more. */
  wake(): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export function createPump(options: PumpOptions): Pump {
  const state: { running?: Promise<void> | undefined; again: boolean } = { again: false };

  const run = async (): Promise<void> => {
    try {
      do {
        state.again = false;
        while ((await sendBatch(options)) === BATCH_SIZE);
      } while (state.again);
    } catch (error) {
      options.logger.warn({ err: error, lane: options.lane }, "the outbox cannot be read; the next sweep tries again");
    } finally {
      state.running = undefined;
    }
  };
  return {
    wake() {
      state.again = true;
      state.running ??= run();
    },
    async idle() {
      while (state.running !== undefined) await state.running;
    },
  };
}

const BATCH_SIZE = 64;
const BATCH_TIMEOUT_MS = 120_000;
const MAX_DELAY_SECONDS = 30;

interface Row {
  readonly id: bigint;
  readonly payload: unknown;
  readonly tries: number;
}

/** @returns how many messages were due */
function sendBatch({ database, logger, lane, send }: PumpOptions): Promise<number> {
  const work = async (transaction: Transaction): Promise<number> => {
    const rows = await transaction.$queryRaw<Row[]>`
      SELECT id, payload, tries FROM outbox_message
      WHERE kind = ANY(${lane}) AND due_at <= clock_timestamp()
      ORDER BY id LIMIT ${BATCH_SIZE} FOR UPDATE SKIP LOCKED`;
    if (rows.length === 0) return 0;
    const results = await Promise.allSettled(rows.map(async ({ id, payload }) => send(OutboxMessage.parse(payload), String(id))));
    const sent: bigint[] = [];
    for (const [index, { id, tries }] of rows.entries()) {
      const result = results[index];
      if (result?.status === "fulfilled") {
        sent.push(id);
        continue;
      }
      logger.warn({ err: result?.reason, message: String(id), tries }, "a message of the outbox could not be sent; it will be tried again");
      const seconds = Math.min(2 ** tries, MAX_DELAY_SECONDS);
      await transaction.$executeRaw`
        UPDATE outbox_message SET tries = tries + 1, due_at = clock_timestamp() + make_interval(secs => ${seconds}::float8) WHERE id = ${id}`;
    }
    await transaction.$executeRaw`DELETE FROM outbox_message WHERE id = ANY(${sent})`;
    return rows.length;
  };
  return overOutages(() => database.$transaction(work, { timeout: BATCH_TIMEOUT_MS }));
}
