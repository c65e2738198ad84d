/**
 * A build's feed: its own events merged with those of its attempts.
 *
 * I1: an own event comes before the events of the attempt that it names, since only it starts their reading.
 * I2: the last own event comes last. Before it, each attempt is read as far as it had got when the build
 *     was seen to have ended, or, until it is published, on until nothing of the build is left to publish.
 *     Who follows a build while it is cancelled waits for nothing.
 * I3: every event carries the positions after it, so that a reader who stops anywhere misses and repeats none.
 */
import type { BuildEvent, BuildOwnEvent, FollowBuildInput, Tracked } from "@lamina/api";
import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import { AttemptEvent, type NumberedEvent } from "../events/batch.ts";
import { type Channel, createChannel } from "../events/channel.ts";
import { decodeCursor, encodeCursor, type Positions } from "./cursor.ts";
import { ownEvents } from "./own-events.ts";

export interface BuildFollower {
  /** @throws {LaminaError} INVALID_INPUT for a cursor that is none */
  follow(build: string, range: FeedRange, signal: AbortSignal): AsyncGenerator<Tracked<BuildEvent>>;
}

export interface FeedRange {
  readonly cursor?: string | undefined;
  readonly until?: FollowBuildInput["until"];
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
    async *follow(build, { cursor, until }, signal) {
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
        const seen = { layers: new Set<string>(), unpublished: new Map<string, Set<string>>() };
        yield* merged(context, { build, until, positions, items, readers, ...seen, own, signal });
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
  readonly until: FeedRange["until"];
  readonly positions: Positions;
  readonly items: Channel<AttemptItem>;
  readonly readers: Readers;
  /** Ids of the build's layers, known from its first own event on. */
  readonly layers: Set<string>;
  /** Of each attempt, the build's layers that were not seen to be published. */
  readonly unpublished: Map<string, Set<string>>;
  /** Whether there may be own events that were not read. */
  readonly own: { changed: boolean };
  readonly signal: AbortSignal;
}

async function* merged(context: FollowContext, merge: Merge): AsyncGenerator<Tracked<BuildEvent>> {
  const { items, own, signal, until } = merge;
  while (!signal.aborted) {
    while (own.changed) {
      own.changed = false;
      if (yield* newOwnEvents(context, merge)) return;
    }
    if (until === "now") {
      yield* drained(context, merge, () => false);
      return;
    }
    const item = await items.take(POLL_MS);
    if (item === undefined) own.changed = true;
    else yield* unseen(merge, item);
  }
}

/** @returns whether the build has ended */
async function* newOwnEvents(context: FollowContext, merge: Merge): AsyncGenerator<Tracked<BuildEvent>, boolean> {
  const { build, until, positions, layers, unpublished, readers, signal } = merge;
  const events = await overOutages(() => ownEvents(context.database, build));
  for (const { number, event } of events) {
    if (isLast(event) && (event.type !== "cancelled" || until === "now")) {
      const waits = event.type === "done" && until === "published";
      yield* drained(context, merge, waits ? (attempt) => isPublishing(merge, attempt) : () => false);
    }
    if (signal.aborted) return true;
    if (number > positions.own) {
      positions.own = number;
      yield { cursor: encodeCursor(positions), event };
    }
    if (isLast(event)) return true;
    if (event.type === "planned") for (const { id } of event.layers) layers.add(id);
    if (event.type === "attempt" && !unpublished.has(event.attempt)) {
      unpublished.set(event.attempt, new Set(event.layers));
      readers.start(event.attempt);
    }
  }
  return false;
}

/** What the attempts have written by now, and what they write while `goesOn` says so. */
async function* drained(context: FollowContext, merge: Merge, goesOn: (attempt: string) => boolean): AsyncGenerator<Tracked<BuildEvent>> {
  const { positions, items, unpublished, signal } = merge;
  const attempts = [...unpublished.keys()];
  const limits = await Promise.all(attempts.map(async (attempt) => [attempt, await context.feeds.lastNumber(attempt, signal)] as const));
  const isBehind = () => limits.some(([attempt, limit]) => (positions.attempts[attempt] ?? 0) < limit || goesOn(attempt));
  while (isBehind() && !signal.aborted) {
    const item = await items.take(POLL_MS);
    if (item !== undefined) yield* unseen(merge, item);
  }
}

/** Whether an attempt has layers of the build to publish still, as far as its events were taken. */
function isPublishing({ positions, readers, unpublished }: Merge, attempt: string): boolean {
  return (unpublished.get(attempt)?.size ?? 0) > 0 && (positions.attempts[attempt] ?? 0) < readers.lastOf(attempt);
}

/** A reader that began again may bring what is on its way already, and an attempt that was joined makes layers of others too. */
function* unseen({ positions, layers, unpublished }: Merge, { attempt, number, event }: AttemptItem): Generator<Tracked<BuildEvent>> {
  if (number <= (positions.attempts[attempt] ?? 0)) return;
  positions.attempts[attempt] = number;
  if (event.type === "layer-published") unpublished.get(attempt)?.delete(event.layer);
  if (event.type === "unknown" || ("layer" in event && !layers.has(event.layer))) return;
  yield { cursor: encodeCursor(positions), event: { ...AttemptEvent.parse(event), attempt } };
}

function isLast(event: BuildOwnEvent): boolean {
  return event.type === "done" || event.type === "failed" || event.type === "cancelled";
}

interface Readers {
  /** Reads an attempt into the channel, from its position on. */
  start(attempt: string): void;
  /** The number of an attempt's last event, once that is in the channel; infinity before. */
  lastOf(attempt: string): number;
}

interface ReaderOptions {
  readonly items: Channel<AttemptItem>;
  readonly positions: Positions;
  readonly signal: AbortSignal;
}

function startReaders({ feeds, logger }: FollowContext, { items, positions, signal }: ReaderOptions): Readers {
  const ended = new Map<string, number>();
  const read = async (attempt: string): Promise<void> => {
    while (!signal.aborted) {
      try {
        let last = positions.attempts[attempt] ?? 0;
        for await (const item of feeds.read(attempt, last, signal)) {
          last = item.number;
          await items.put({ attempt, ...item });
        }
        ended.set(attempt, last);
        return items.wake();
      } catch (error) {
        logger.error({ err: error, attempt }, "an attempt's events cannot be read; trying again");
        await delay(RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  };
  return {
    start: (attempt) => void read(attempt),
    lastOf: (attempt) => ended.get(attempt) ?? Infinity,
  };
}
