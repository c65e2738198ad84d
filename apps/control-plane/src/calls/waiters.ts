/**
 * Who waits for the ends of calls, in this process.
 *
 * I1: a waiter is there before it looks into the database, so that no end falls between its look and its waiting.
 * I2: an end that was recorded here is told at once; one that another replica recorded comes over core NATS, as an id to look up.
 *     That may be lost with NATS or with the replica: after a reconnect, and every two seconds, those who wait are looked up.
 */
import type { EndedCall } from "@lamina/api";
import type { Logger } from "@lamina/service";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Statements } from "../database/statements.ts";
import type { Nats } from "../events/nats.ts";
import { knownCalls } from "./row.ts";

export interface CallWaiters {
  /** Waits for these calls from now on. */
  waitFor(workspace: string, ids: readonly string[]): Waiting;
  /** Tells ends that were recorded, to those of their workspace. */
  tell(workspace: string, ended: readonly EndedCall[]): void;
}

export interface Waiting extends Disposable {
  /** Adds ends that were found by looking. */
  found(ended: readonly EndedCall[]): void;
  /** The ends, when all are there; or those that are there in time, or up to the signal. */
  ends(patience: Patience, signal?: AbortSignal): Promise<EndedCall[]>;
}

/** In milliseconds, from now or from the first end on. */
export interface Patience {
  readonly forFirst: number;
  readonly forOthers: number;
}

export interface CallWaitersOptions {
  readonly nats: Nats;
  readonly statements: Statements;
  readonly logger: Logger;
  /** Ends the watching for what other replicas tell. */
  readonly signal: AbortSignal;
}

const LOOK_MS = 2_000;
const EndedIds = z.array(z.string());

export function createCallWaiters({ nats, statements, logger, signal }: CallWaitersOptions): CallWaiters {
  const { connection, catalogue } = nats;
  /** The open waitings of each call that has not been told of. */
  const waiting = new Map<string, Set<OpenWaiting>>();
  const leave = (id: string, open: OpenWaiting): void => {
    const others = waiting.get(id);
    others?.delete(open);
    if (others?.size === 0) waiting.delete(id);
  };

  const tell = (workspace: string, ended: readonly EndedCall[]): void => {
    for (const call of ended) {
      for (const open of waiting.get(call.id) ?? []) {
        if (open.workspace !== workspace) continue;
        open.add(call);
        leave(call.id, open);
      }
    }
  };
  const look = async (ids: readonly string[]): Promise<void> => {
    const workspaces = Map.groupBy(
      ids.flatMap((id) => [...(waiting.get(id) ?? [])].map(({ workspace }) => ({ id, workspace }))),
      ({ workspace }) => workspace,
    );
    for (const [workspace, calls] of workspaces) {
      const asked = [...new Set(calls.map(({ id }) => id))];
      tell(workspace, (await knownCalls(statements, workspace, asked)).ended);
    }
  };
  const lookOrWarn = (ids: readonly string[]): void =>
    void look(ids).catch((error: unknown) =>
      logger.warn({ err: error }, "the ends of calls cannot be looked up; the next look tries again"),
    );

  const watch = async (): Promise<void> => {
    while (!signal.aborted) {
      await delay(LOOK_MS, undefined, { signal }).catch(() => {});
      if (!signal.aborted && waiting.size > 0) lookOrWarn([...waiting.keys()]);
    }
  };
  const told = connection.subscribe(catalogue.callsEnded, {
    callback: (error, message) => {
      if (error !== null || waiting.size === 0) return;
      const ids = EndedIds.parse(message.json()).filter((id) => waiting.has(id));
      if (ids.length > 0) lookOrWarn(ids);
    },
  });
  signal.addEventListener("abort", () => told.unsubscribe(), { once: true });
  nats.onReconnect(() => lookOrWarn([...waiting.keys()]), signal);
  void watch();

  return {
    tell,
    waitFor(workspace, ids) {
      const open = openWaiting(workspace, new Set(ids).size);
      for (const id of ids) waiting.set(id, (waiting.get(id) ?? new Set()).add(open));
      return {
        found: (ended) => tell(workspace, ended),
        ends: open.ends,
        [Symbol.dispose]() {
          for (const id of ids) leave(id, open);
        },
      };
    },
  };
}

interface OpenWaiting {
  readonly workspace: string;
  readonly add: (call: EndedCall) => void;
  readonly ends: Waiting["ends"];
}

function openWaiting(workspace: string, calls: number): OpenWaiting {
  const ended = new Map<string, EndedCall>();
  let enough = Infinity;
  let proceed = (): void => {};
  /** Resolves when so many have ended. */
  const until = async (count: number, waitMs: number, signal: AbortSignal | undefined): Promise<void> => {
    enough = count;
    if (ended.size >= enough || waitMs === 0 || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => proceed(), waitMs);
      const onAbort = (): void => proceed();
      signal?.addEventListener("abort", onAbort, { once: true });
      proceed = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
    });
  };
  return {
    workspace,
    add(call) {
      ended.set(call.id, call);
      if (ended.size >= enough) proceed();
    },
    async ends({ forFirst, forOthers }, signal) {
      await until(1, forFirst, signal);
      if (ended.size > 0) await until(calls, forOthers, signal);
      return [...ended.values()];
    },
  };
}
