/** Builders that stop for longer than their lease, and builders that die in the middle of a step. */
import { randomInt, randomUUID } from "node:crypto";
import { freezeServer, gate, killServer, leftovers, processes, supervisedTree, tinyPython } from "@lamina/testkit";
import { Image } from "lamina";
import { Client as Database } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { begin, faultSite, type Outcome, type Site } from "./site.ts";
import { attemptsIn, expectToldOnce } from "./told-once.ts";

let site: Site;
beforeAll(async () => void (site = await faultSite({ builders: { one: {}, two: {} } })));
afterAll(() => site?.[Symbol.asyncDispose]());

const expectNothingLeft = () => expect.poll(() => leftovers(site.platform, site.servers), { timeout: 30_000 }).toEqual([]);

function builderOf({ events }: Pick<Outcome, "events">, attempt: string | undefined): string {
  const started = events.find((event) => event.type === "attempt-started" && event.attempt === attempt);
  return started?.type === "attempt-started" ? started.builder : "";
}

/** The layers that attempts have published, by attempt. */
async function published(attempts: readonly string[]): Promise<{ attempt: string; state: string; records: number }[]> {
  const database = new Database({ connectionString: site.platform.databaseUrl });
  await database.connect();
  try {
    const { rows } = await database.query<{ attempt: string; state: string; records: number }>(
      `SELECT a.id AS attempt, a.state, count(r.id)::int AS records
       FROM attempt a JOIN attempt_layer l ON l.attempt_id = a.id LEFT JOIN record r ON r.id = l.record
       WHERE a.id = ANY($1) GROUP BY a.id ORDER BY a.id`,
      [attempts],
    );
    return rows;
  } finally {
    await database.end();
  }
}

test("an attempt whose builder was stopped past its lease publishes nothing when the builder goes on", async () => {
  await using step = await gate();
  const image = Image.fromRegistry(await tinyPython(site.servers.registry))
    .runCommands(`echo begun; ${step.wait}; echo ${randomUUID()}`)
    .runCommands("echo more");
  const { outcome, events } = await begin(site.client, image);
  const [lost = ""] = attemptsIn(events);
  const stale = builderOf({ events }, lost);
  // Only the builder: its solve goes on, and is pushed.
  const { thaw } = await freezeServer(site.platform.directory, stale, { alone: true });
  step.open();
  const made = await outcome;
  thaw();
  expect(made.error).toBeUndefined();
  const [, kept = ""] = attemptsIn(made.events);
  expect(builderOf(made, kept)).not.toBe(stale);
  await expectNothingLeft();
  expect(await published([lost, kept])).toEqual([
    { attempt: lost, state: "expired", records: 0 },
    { attempt: kept, state: "done", records: 2 },
  ]);
  await expectToldOnce(site.platform.databaseUrl, made.events);
});

test("a builder that is killed takes the step in hand with it, however silent", async () => {
  const sleep = `sleep 300.${randomInt(1e9)}`;
  const isRunning = async () => (await processes()).some(({ command }) => command === sleep);
  const { outcome, events, abort } = await begin(site.client, Image.fromRegistry(site.base).runCommands(`echo begun; ${sleep}`));
  await expect.poll(isRunning).toBe(true);
  const builder = builderOf({ events }, attemptsIn(events)[0]);
  abort();
  await killServer(site.platform.directory, builder);
  expect((await outcome).error).toMatchObject({ code: "CANCELLED" });
  await expect.poll(isRunning, { timeout: 10_000 }).toBe(false);
  await supervisedTree(site.platform.directory, builder);
  await expectNothingLeft();
});
