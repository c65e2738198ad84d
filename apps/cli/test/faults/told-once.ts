/** Whether a client was told what is on record: each event once, in order, none left out. */
import { archivedEvents } from "@lamina/testkit";
import type { ClientEvent } from "lamina";
import { Client } from "pg";
import { expect } from "vitest";
import { z } from "zod";

const Event = z.looseObject({ type: z.string() });
type Event = z.infer<typeof Event>;

const OWN: ReadonlySet<string> = new Set(["planned", "attempt", "done", "failed", "cancelled"]);
const LAST: ReadonlySet<string> = new Set(["attempt-done", "attempt-failed", "attempt-cut-off"]);

/** Throws unless a client heard all of a build that has ended, and of its attempts what they had said by then. */
export async function expectToldOnce(databaseUrl: string, heard: readonly ClientEvent[]): Promise<void> {
  const { build } = heard.find((event) => event.type === "build") ?? {};
  if (build === undefined) return;
  const database = new Client({ connectionString: databaseUrl });
  database.on("error", () => undefined);
  await database.connect();
  try {
    const own = await ownEvents(database, build);
    expect(heard.filter(({ type }) => OWN.has(type))).toEqual(own);
    for (const attempt of attemptsIn(heard)) {
      const said = await attemptEvents(databaseUrl, attempt);
      const ofAttempt = heard.filter((event) => !OWN.has(event.type) && "attempt" in event && event.attempt === attempt);
      expect(ofAttempt).toEqual(said.slice(0, ofAttempt.length).map((event) => ({ ...event, attempt })));
    }
  } finally {
    await database.end();
  }
}

/** The attempts that a build waited for, in order. */
export function attemptsIn(heard: readonly ClientEvent[]): string[] {
  return heard.flatMap((event) => (event.type === "attempt" ? [event.attempt] : []));
}

async function ownEvents(database: Client, build: string): Promise<Event[]> {
  const { rows } = await database.query<{ number: number; event: unknown }>(
    "SELECT number, event FROM build_event WHERE build_id = $1 ORDER BY number",
    [build],
  );
  expect(rows.map(({ number }) => number)).toEqual(rows.map((_, index) => index + 1));
  return rows.map(({ event }) => Event.parse(event));
}

/** All events of an attempt. Throws when their numbers have a gap, or the last is no end. */
async function attemptEvents(databaseUrl: string, attempt: string): Promise<Event[]> {
  const events = z.array(Event).parse(await archivedEvents(databaseUrl, attempt));
  expect(events.map(({ type }) => LAST.has(type))).toEqual(events.map((_, index) => index === events.length - 1));
  return events;
}
