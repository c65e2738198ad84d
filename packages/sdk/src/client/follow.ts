/** Follows a feed of events to its end, over connections that come and go. */
import type { ErrorCode, LaminaError } from "@lamina/api";
import { setTimeout as delay } from "node:timers/promises";
import { clientError } from "./errors.ts";

export interface Feed<Event> {
  readonly url: string;
  /** Whether the platform ends it with what is there, before its last event. */
  readonly endsNow: boolean;
  readonly isLast: (event: Event) => boolean;
  /** Opens a connection that sends the events after a cursor. */
  readonly subscribe: (after: string | undefined, observer: FeedObserver<Event>) => { unsubscribe(): void };
  /** Throws what keeps us from the platform, if anything does. */
  readonly probe: (options: { readonly signal?: AbortSignal | undefined }) => Promise<unknown>;
}

/** What a connection reports: the part of tRPC's observer that is of use here. */
export interface FeedObserver<Event> {
  onData(sent: Sent<Event>): void;
  onError(error: unknown): void;
  onComplete(): void;
  onConnectionStateChange(state: { readonly state: string; readonly error: unknown }): void;
}

export interface Sent<Event> {
  /** The cursor behind the event. */
  readonly id: string;
  readonly data: Event;
}

export interface FollowOptions {
  /** The cursor of the last event that was seen; without it the feed is followed from its beginning. */
  readonly after?: string | undefined;
  /** Hears of the cursor of each event before the event is given. */
  readonly onCursor?: ((cursor: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Each event once, in order, up to the last one or until the signal aborts; where the feed ends now, up to what is there. A connection that breaks
 * is made again from the last cursor, unless that fails for more than a minute.
 * @throws what the platform answers; UNREACHABLE
 */
export async function* follow<Event>(feed: Feed<Event>, { after, onCursor, signal }: FollowOptions): AsyncGenerator<Event> {
  const isNew = recentlyUnseen();
  let cursor = after;
  let failingSince: number | undefined;
  let emptyEnds = 0;
  while (!isAborted(signal)) {
    const openedAt = Date.now();
    let thrown: unknown;
    try {
      for await (const { id, data } of connection(feed, cursor, signal)) {
        failingSince = undefined;
        emptyEnds = -1;
        cursor = id;
        if (!isNew(id)) continue;
        onCursor?.(id);
        yield data;
        if (feed.isLast(data)) return;
      }
    } catch (error) {
      thrown = error;
    }
    if (thrown === undefined) {
      if (feed.endsNow) return;
      // The platform stopped in good order, or has nothing after the cursor: then it says so again.
      emptyEnds += 1;
      if (emptyEnds === 2) return;
    } else {
      emptyEnds = 0;
      if (Date.now() - openedAt > STEADY_MS) failingSince = undefined;
      failingSince ??= Date.now();
      const problem = await reasonOf(thrown, feed, signal);
      const isOver = !MAY_PASS.has(problem.code) || Date.now() - failingSince > PATIENCE_MS;
      if (isOver && !isAborted(signal)) throw problem;
    }
    await delay(PAUSE_MS);
  }
}

const PATIENCE_MS = 60_000;
/** A connection that stood so long was a good one. */
const STEADY_MS = 10_000;
const PAUSE_MS = 250;
/** A platform answers at once that it sends events, however long the first one takes. */
const OPEN_MS = 10_000;
/** What a platform may answer while it, or something below it, starts again. */
const MAY_PASS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["UNREACHABLE", "INTERNAL", "REGISTRY_UNAVAILABLE"]);

/** The events of one connection; ends when the platform ends it, throws when it breaks. */
function connection<Event>(feed: Feed<Event>, after: string | undefined, signal: AbortSignal | undefined): ReadableStream<Sent<Event>> {
  let stop = () => {};
  return new ReadableStream<Sent<Event>>({
    start(controller) {
      let isOpen = true;
      const late = setTimeout(() => close(() => controller.error(new Error(`no answer within ${OPEN_MS / 1000} seconds`))), OPEN_MS);
      const close = (finish: () => void) => {
        if (!isOpen) return;
        isOpen = false;
        clearTimeout(late);
        finish();
        stop();
      };
      const end = () => close(() => controller.close());
      const subscription = feed.subscribe(after, {
        onData: (sent) => isOpen && controller.enqueue(sent),
        onError: (error) => close(() => controller.error(error)),
        onComplete: end,
        onConnectionStateChange: ({ state, error }) => {
          if (state === "pending") clearTimeout(late);
          if (state === "connecting" && error !== null) close(() => controller.error(error));
        },
      });
      signal?.addEventListener("abort", end);
      stop = () => {
        isOpen = false;
        clearTimeout(late);
        signal?.removeEventListener("abort", end);
        subscription.unsubscribe();
      };
    },
    cancel: () => stop(),
  });
}

/** An event source does not tell why it could not connect; an ordinary call does. */
async function reasonOf<Event>(error: unknown, feed: Feed<Event>, signal: AbortSignal | undefined): Promise<LaminaError> {
  const problem = clientError(error, feed.url);
  if (problem.code !== "UNREACHABLE") return problem;
  return feed.probe({ signal }).then(
    () => problem,
    (reason: unknown) => clientError(reason, feed.url),
  );
}

/** A call, since the compiler takes a property that was looked at for one that stays as it was. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** Tells whether an id is not among the last ones it was asked about. */
function recentlyUnseen(): (id: string) => boolean {
  const seen = new Set<string>();
  return (id) => {
    if (seen.has(id)) return false;
    seen.add(id);
    const [oldest] = seen;
    if (seen.size > REMEMBERED && oldest !== undefined) seen.delete(oldest);
    return true;
  };
}

const REMEMBERED = 10_000;
