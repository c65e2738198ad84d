/**
 * A build's feed: its own events merged with those of its attempts.
 *
 * I1: an own event comes before the events of the attempt that it names, since only it starts their reading.
 * I2: the last own event comes last. Before it, each attempt is read as far as it had got when the build
 *     was seen to have ended; a cancelled build waits for nothing.
 * I3: every event carries the positions after it, so that a reader who stops anywhere misses and repeats none.
 */
import type { BuildEvent, BuildOwnEvent, Tracked } from "@lamina/api";
import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import { AttemptEvent, type NumberedEvent } from "../events/batch.ts";
import { type Channel, createChannel } from "../events/channel.ts";
import { decodeCursor, encodeCursor, type Positions } from "./cursor.ts";
import { type NumberedOwnEvent, ownEvents } from "./own-events.ts";

export interface BuildFollower {
  /** @throws {LaminaError} INVALID_INPUT for a cursor that is none */
  follow(build: string, cursor: string | undefined, signal: AbortSignal): AsyncGenerator<Tracked<BuildEvent>>;
}

type FollowContext = Pick<Context, "database" | "nats" | "feeds" | "logger">;

interface AttemptItem extends NumberedEvent {
  readonly attempt: string;
}

/** A wake-up may be lost with NATS; then this finds what is new. */
const POLL_MS = 2_000;
const RETRY_MS = 500;

export function createBuildFollower(context: FollowContext): BuildFollower {
  const { connection, catalogue } = context.nats;
  return {
    async *follow(build, cursor, signal) {
      const positions = decodeCursor(cursor);
      const items = createChannel<AttemptItem>();
      const stop = new AbortController();
      const readers = startReaders(context, { items, positions, signal: stop.signal });
      const own = { changed: true };
      const wakeUps = connection.subscribe(catalogue.buildChanged(build), {
        callback: () => {
          own.changed = true;
          items.wake();
        },
      });
      const onAbort = () => items.wake();
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        yield* merged(context, { build, positions, items, readers, layers: new Set(), own, signal });
      } finally {
        signal.removeEventListener("abort", onAbort);
        wakeUps.unsubscribe();
        stop.abort();
        items.close();
      }
    },
  };
}

interface Merge {
  readonly build: string;
  readonly positions: Positions;
  readonly items: Channel<AttemptItem>;
  readonly readers: Readers;
  /** Ids of the build's layers, known from its first own event on. */
  readonly layers: Set<string>;
  /** Whether there may be own events that were not read. */
  readonly own: { changed: boolean };
  readonly signal: AbortSignal;
}

async function* merged(context: FollowContext, merge: Merge): AsyncGenerator<Tracked<BuildEvent>> {
  const { items, own, signal } = merge;
  while (!signal.aborted) {
    while (own.changed) {
      own.changed = false;
      if (yield* newOwnEvents(context, merge)) return;
    }
    const item = await items.take(POLL_MS);
    if (item === undefined) own.changed = true;
    else yield* unseen(merge, item);
  }
}

/** @returns whether the build has ended */
async function* newOwnEvents(context: FollowContext, merge: Merge): AsyncGenerator<Tracked<BuildEvent>, boolean> {
  const { build, positions, layers, readers, signal } = merge;
  const events = await overOutages(() => ownEvents(context.database, build));
  for (const { number, event } of events) {
    if (isLast(event) && event.type !== "cancelled") yield* drained(context, merge, events);
    if (signal.aborted) return true;
    if (number > positions.own) {
      positions.own = number;
      yield { cursor: encodeCursor(positions), event };
    }
    if (isLast(event)) return true;
    if (event.type === "planned") for (const { id } of event.layers) layers.add(id);
    if (event.type === "attempt") readers.start(event.attempt);
  }
  return false;
}

/** What the attempts had written when the build was seen to have ended. */
async function* drained(context: FollowContext, merge: Merge, own: readonly NumberedOwnEvent[]): AsyncGenerator<Tracked<BuildEvent>> {
  const { positions, items, signal } = merge;
  const attempts = own.flatMap(({ event }) => (event.type === "attempt" ? [event.attempt] : []));
  const limits = await Promise.all(attempts.map(async (attempt) => [attempt, await context.feeds.lastNumber(attempt, signal)] as const));
  const isBehind = () => limits.some(([attempt, limit]) => (positions.attempts[attempt] ?? 0) < limit);
  while (isBehind() && !signal.aborted) {
    const item = await items.take(POLL_MS);
    if (item !== undefined) yield* unseen(merge, item);
  }
}

/** A reader that began again may bring what is on its way already, and an attempt that was joined makes layers of others too. */
function* unseen({ positions, layers }: Merge, { attempt, number, event }: AttemptItem): Generator<Tracked<BuildEvent>> {
  if (number <= (positions.attempts[attempt] ?? 0)) return;
  positions.attempts[attempt] = number;
  if ("layer" in event && !layers.has(event.layer)) return;
  yield { cursor: encodeCursor(positions), event: { ...AttemptEvent.parse(event), attempt } };
}

function isLast(event: BuildOwnEvent): boolean {
  return event.type === "done" || event.type === "failed" || event.type === "cancelled";
}

interface Readers {
  /** Reads an attempt into the channel, from its position on. A second time it does nothing. */
  start(attempt: string): void;
}

interface ReaderOptions {
  readonly items: Channel<AttemptItem>;
  readonly positions: Positions;
  readonly signal: AbortSignal;
}

function startReaders({ feeds, logger }: FollowContext, { items, positions, signal }: ReaderOptions): Readers {
  const started = new Set<string>();
  const read = async (attempt: string): Promise<void> => {
    while (!signal.aborted) {
      try {
        for await (const item of feeds.read(attempt, positions.attempts[attempt] ?? 0, signal)) await items.put({ attempt, ...item });
        return;
      } catch (error) {
        logger.error({ err: error, attempt }, "an attempt's events cannot be read; trying again");
        await delay(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  };
  return {
    start(attempt) {
      if (started.has(attempt)) return;
      started.add(attempt);
      void read(attempt);
    },
  };
}
