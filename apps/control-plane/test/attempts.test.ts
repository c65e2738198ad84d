import { expect, test } from "vitest";
import { fakeBuilder } from "./support/builder.ts";
import { client, testControlPlane, type TestControlPlane, worker } from "./support/platform.ts";
import { attemptOf, chain, follow, hits, startBuild } from "./support/requests.ts";

/** Lets the lease of an attempt run out by Postgres' clock, and waits until the build has another attempt or ends. */
async function loseAttempt(platform: TestControlPlane, build: string): Promise<void> {
  const lost = await attemptOf(platform, build);
  await platform.sql("UPDATE attempt SET lease_until = now() - interval '1 second' WHERE id = $1", [lost]);
  let seen = false;
  await follow(platform, build, {
    until: (event) => {
      if (event.type !== "attempt") return false;
      const isNext = seen && event.attempt !== lost;
      seen ||= event.attempt === lost;
      return isNext;
    },
  });
}

test("of many who claim an attempt at once, one gets it", async () => {
  await using platform = await testControlPlane();
  await using other = await testControlPlane({ beside: platform });
  const attempt = await attemptOf(platform, await startBuild(platform, chain("one")));
  const claims = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? platform : other).services.attempts.claim(worker, { id: attempt, worker: `worker ${index}`, nonce: `${index}` }),
    ),
  );
  expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
});

test("a lease that ran out by Postgres' clock publishes nothing, and its build gets another attempt", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const image = chain("one", "two");
  const build = await startBuild(platform, image);
  const lost = await builder.claim(await attemptOf(platform, build));
  await lost?.publish(1);
  await loseAttempt(platform, build);

  await expect(lost?.publish(2)).rejects.toMatchObject({ code: "LEASE_LOST" });
  await expect(lost?.finish()).rejects.toMatchObject({ code: "LEASE_LOST" });
  expect(await hits(platform, image)).toBe(2);
  const next = await attemptOf(platform, build);
  const held = await builder.claim(next);
  expect(held?.claimed.layers.map(({ index }) => index)).toEqual([2]);
  expect(held?.claimed.token).toBeGreaterThan(lost?.claimed.token ?? Infinity);
  await held?.publish(2);
  expect((await follow(platform, build)).at(-1)?.event.type).toBe("done");
});

test("a token that is not the lease's changes nothing", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const attempt = await attemptOf(platform, await startBuild(platform, chain("one")));
  const held = await builder.claim(attempt);
  const stale = { id: attempt, token: (held?.claimed.token ?? 0) - 1 };
  const { attempts } = platform.services;
  await expect(attempts.renew(worker, stale)).rejects.toMatchObject({ code: "LEASE_LOST" });
  await expect(attempts.finish(worker, stale)).rejects.toMatchObject({ code: "LEASE_LOST" });
  const layer = held?.claimed.layers[0]?.id ?? "";
  const publication = { ...stale, layer, digest: platform.base.digest, bytes: 1, seconds: 1 };
  await expect(attempts.publish(worker, publication)).rejects.toMatchObject({ code: "LEASE_LOST" });
  expect(await platform.sql("SELECT id FROM record")).toEqual([]);
});

test("a build is given up after three attempts in a row were lost", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one"));
  for (let lost = 0; lost < 3; lost += 1) {
    await builder.claim(await attemptOf(platform, build));
    await loseAttempt(platform, build);
  }
  expect((await follow(platform, build)).at(-1)?.event).toMatchObject({ type: "failed", error: { code: "ATTEMPT_LOST" } });
});

test("an attempt that ends without all of its layers counts as lost", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one", "two"));
  const held = await builder.claim(await attemptOf(platform, build));
  await held?.publish(1);
  await held?.finish();
  const next = await builder.claim(await attemptOf(platform, build));
  expect(next?.claimed.layers.map(({ index }) => index)).toEqual([2]);
});

test("publishing or finishing twice, as after an answer that was lost, does it once", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one"));
  const held = await builder.claim(await attemptOf(platform, build));
  await held?.publish(1);
  await held?.publish(1);
  await held?.finish();
  await held?.finish();
  expect(await platform.sql("SELECT id FROM record")).toHaveLength(1);
  expect((await follow(platform, build)).filter(({ event }) => event.type === "done")).toHaveLength(1);
});

test("inner layers may be published after the last one, on records whose ids were known before", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one", "two"));
  const held = await builder.claim(await attemptOf(platform, build));
  await held?.publish(2);
  expect((await follow(platform, build)).at(-1)?.event.type).toBe("done");
  await held?.publish(1);
  await held?.finish();
  const records = await platform.sql<{ id: string; parent: string | null }>("SELECT id, parent FROM record ORDER BY id");
  expect(records.map(({ parent }) => parent)).toEqual([null, records[0]?.id]);
});

test("a claim that cannot be answered by a fault of ours fails the build, and shows an id alone", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one"));
  const attempt = await attemptOf(platform, build);
  await platform.sql(`UPDATE attempt SET definition = '{"of": "a newer release"}'`);
  expect(await builder.claim(attempt)).toBeUndefined();
  const { state, error } = await platform.services.builds.get(client, { id: build });
  expect(state).toBe("failed");
  expect(error).toMatchObject({ code: "INTERNAL", message: expect.stringMatching(/under [0-9a-f-]{36}/) });
});

test("a claim whose answer was lost is answered the same again, and by another call not", async () => {
  await using platform = await testControlPlane();
  const { attempts } = platform.services;
  const attempt = await attemptOf(platform, await startBuild(platform, chain("one")));
  const call = { id: attempt, worker: "w", nonce: "first" };
  const lost = await attempts.claim(worker, call);
  expect(lost).not.toBeNull();
  expect(await attempts.claim(worker, call)).toEqual(lost);
  expect(await attempts.claim(worker, { ...call, nonce: "second" })).toBeNull();
  await platform.sql("UPDATE attempt SET lease_until = now() - interval '1 second'");
  expect(await attempts.claim(worker, call)).toBeNull();
});

test("an attempt that its builder gives back is not counted as lost, and another one begins at once", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const build = await startBuild(platform, chain("one", "two"));
  for (let given = 0; given < 4; given += 1) {
    const attempt = await attemptOf(platform, build);
    const held = await builder.claim(attempt);
    const proof = { id: attempt, token: held?.claimed.token ?? 0 };
    await platform.services.attempts.release(worker, proof);
    await platform.services.attempts.release(worker, proof);
    await expect(held?.publish(1)).rejects.toMatchObject({ code: "LEASE_LOST" });
    expect(await attemptOf(platform, build)).not.toBe(attempt);
  }
  await builder.make(await attemptOf(platform, build));
  const events = (await follow(platform, build)).map(({ event }) => event);
  expect(events.at(-1)?.type).toBe("done");
  expect(events.flatMap((event) => (event.type === "attempt-cut-off" ? [event.reason] : []))).toEqual(Array(4).fill("released"));
});
