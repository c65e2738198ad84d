/** A build's own events, numbered from 1 under the workspace's lock. */
import { BuildOwnEvent, type Tracked } from "@lamina/api";
import type { Queryable, Transaction } from "../database/database.ts";
import type { OutboxMessage } from "../outbox/messages.ts";
import { encodeCursor } from "./cursor.ts";

export interface NumberedOwnEvent {
  readonly number: number;
  readonly event: BuildOwnEvent;
}

/** Adds an event, and wakes those who follow the build. In one statement, since no build has fewer than two events. */
export async function addOwnEvent(transaction: Transaction, build: string, event: BuildOwnEvent): Promise<void> {
  const wakeUp: OutboxMessage = { kind: "build-changed", build };
  await transaction.$executeRaw`
    WITH told AS (INSERT INTO outbox_message (kind, payload) VALUES (${wakeUp.kind}, ${JSON.stringify(wakeUp)}::json))
    INSERT INTO build_event (build_id, number, event)
    SELECT ${build}, coalesce(max(number), 0) + 1, ${JSON.stringify(event)}::json FROM build_event WHERE build_id = ${build}`;
}

/** Those of a build that nobody follows yet, with their cursors. */
export async function firstEvents(transaction: Transaction, build: string): Promise<Tracked<BuildOwnEvent>[]> {
  const events = await ownEvents(transaction, build);
  return events.map(({ number, event }) => ({ cursor: encodeCursor({ own: number, attempts: {} }), event }));
}

/** All own events of a build, in order. */
export async function ownEvents(database: Queryable, build: string): Promise<NumberedOwnEvent[]> {
  const rows = await database.buildEvent.findMany({ where: { buildId: build }, orderBy: { number: "asc" } });
  return rows.map(({ number, event }) => ({ number, event: BuildOwnEvent.parse(event) }));
}
