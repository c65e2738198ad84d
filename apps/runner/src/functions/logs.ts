/** The lines of a function's containers on their way into the stream of logs: in batches, while one is under way the next one grows. */
import type { Catalogue, LogBatch } from "@lamina/api";
import type { Logger } from "@lamina/service";
import type { JetStreamClient } from "@nats-io/jetstream";
import { setTimeout as delay } from "node:timers/promises";

export interface LogWriter {
  /** @returns when to write more, where that is not at once */
  write(batch: LogBatch): Promise<void> | undefined;
  /** Resolves when all that was written up to now is in the stream. */
  flushed(): Promise<void> | undefined;
}

export interface LogWriterOptions {
  readonly jetstream: JetStreamClient;
  readonly catalogue: Catalogue;
  readonly app: string;
  readonly logger: Logger;
  /** What is not in the stream by then is given up. */
  readonly signal: AbortSignal;
}

/** So many waiting lines make a writer wait. */
const MOST_WAITING = 10_000;
/** A message of NATS holds a megabyte. */
const BATCH_CHARACTERS = 100_000;
const RETRY_MS = 500;

export function logWriter({ jetstream, catalogue, app, logger, signal }: LogWriterOptions): LogWriter {
  let waiting: LogBatch[] = [];
  let lines = 0;
  let sending: Promise<void> | undefined;

  async function send(): Promise<void> {
    // Whatever else comes in this turn goes along.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batches = merged(waiting);
      waiting = [];
      lines = 0;
      await Promise.all(batches.map(publish));
    }
    sending = undefined;
  }

  async function publish(batch: LogBatch): Promise<void> {
    for (;;) {
      try {
        await jetstream.publish(catalogue.logs.subject(app, batch.call), JSON.stringify(batch));
        return;
      } catch (error) {
        if (signal.aborted) return logger.error({ lines: batch.lines.length }, "lines of a function are lost: NATS did not take them");
        logger.warn({ error: String(error) }, "lines of a function cannot be kept yet");
        await delay(RETRY_MS);
      }
    }
  }

  return {
    write(batch) {
      waiting.push(batch);
      lines += batch.lines.length;
      sending ??= send();
      return lines > MOST_WAITING ? sending : undefined;
    },
    flushed: () => sending,
  };
}

/** Neighbours that differ in their lines only are one batch; none is longer than a message. */
function merged(batches: readonly LogBatch[]): LogBatch[] {
  const result: LogBatch[] = [];
  let size = 0;
  for (const batch of batches) {
    for (const line of batch.lines.flatMap(pieces)) {
      const last = result.at(-1);
      const fits =
        last !== undefined &&
        last.call === batch.call &&
        last.stream === batch.stream &&
        last.container === batch.container &&
        size + line.length < BATCH_CHARACTERS;
      if (fits) last.lines.push(line);
      else result.push({ ...batch, lines: [line] });
      size = (fits ? size : 0) + line.length + 1;
    }
  }
  return result;
}

function pieces(line: string): string[] {
  return line.length <= BATCH_CHARACTERS ? [line] : (line.match(new RegExp(`[^]{1,${BATCH_CHARACTERS}}`, "g")) ?? []);
}
