import { freshDatabase } from "@lamina/testkit";
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { connectDatabase, overOutages, type Transaction } from "../src/database/database.ts";
import { testControlPlane, worker } from "./support/platform.ts";
import { fakeBuilder } from "./support/builder.ts";
import { attemptOf, chain, startBuild } from "./support/requests.ts";

const lock = (transaction: Transaction, key: number) => transaction.$executeRaw`SELECT pg_advisory_xact_lock(${key}::bigint)`;

test("a transaction that Postgres ended for a deadlock is done again", async () => {
  await using fresh = await freshDatabase();
  const database = connectDatabase(fresh.url);
  const both = Promise.withResolvers<void>();
  let holding = 0;
  let tries = 0;
  const crossing = (first: number, second: number) =>
    overOutages(() =>
      database.$transaction(async (transaction) => {
        tries += 1;
        await lock(transaction, first);
        if ((holding += 1) === 2) both.resolve();
        await both.promise;
        await lock(transaction, second);
        return first;
      }),
    );
  expect(await Promise.all([crossing(1, 2), crossing(2, 1)])).toEqual([1, 2]);
  expect(tries).toBe(3);
  await database.$disconnect();
});

test("leases are renewed while every other connection waits for the workspace", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const attempt = await attemptOf(platform, await startBuild(platform, chain("one")));
  const held = await builder.claim(attempt);
  const workspace = "hashtextextended('lamina default', 0)";
  await platform.sql(`SELECT pg_advisory_lock(${workspace})`);
  const claims = Array.from({ length: 20 }, () =>
    platform.services.attempts.claim(worker, { id: attempt, worker: "w", nonce: randomUUID() }),
  );
  const waiting =
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
  await expect.poll(() => platform.sql(waiting), { timeout: 10_000 }).toHaveLength(16);
  const renewed = await platform.services.attempts.renew(worker, { id: attempt, token: held?.claimed.token ?? 0 });
  expect(renewed).toMatchObject({ cancelled: false });
  await platform.sql(`SELECT pg_advisory_unlock(${workspace})`);
  expect(await Promise.all(claims)).toEqual(Array(20).fill(null));
});
