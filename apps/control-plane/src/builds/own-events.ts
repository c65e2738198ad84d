/** A build's own events, numbered from 1 under the workspace's lock. */
import { BuildOwnEvent } from "@lamina/api";
import type { Queryable, Transaction } from "../database/database.ts";
import { enqueue } from "../outbox/messages.ts";

export interface NumberedOwnEvent {
  readonly number: number;
  readonly event: BuildOwnEvent;
}

export async function addOwnEvent(transaction: Transaction, build: string, event: BuildOwnEvent): Promise<void> {
  const last = await transaction.buildEvent.aggregate({ where: { buildId: build }, _max: { number: true } });
  await transaction.buildEvent.create({ data: { buildId: build, number: (last._max.number ?? 0) + 1, event } });
  await enqueue(transaction, { kind: "build-changed", build });
}

/** All own events of a build, in order. */
export async function ownEvents(database: Queryable, build: string): Promise<NumberedOwnEvent[]> {
  const rows = await database.buildEvent.findMany({ where: { buildId: build }, orderBy: { number: "asc" } });
  return rows.map(({ number, event }) => ({ number, event: BuildOwnEvent.parse(event) }));
}
