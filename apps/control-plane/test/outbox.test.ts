import { catalogue } from "@lamina/api";
import { connectNats } from "@lamina/service";
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { type Nats, openNats } from "../src/events/nats.ts";
import { testControlPlane, type TestControlPlane } from "./support/platform.ts";
import { chain, startBuild } from "./support/requests.ts";

async function natsOf({ config }: TestControlPlane): Promise<Nats & AsyncDisposable> {
  const connection = await connectNats({ ...config.nats, name: "test" });
  const nats = await openNats(connection, catalogue(config.namespace));
  return { ...nats, [Symbol.asyncDispose]: () => connection.close() };
}

async function jobsIn({ manager, catalogue: { jobs } }: Nats): Promise<number> {
  return (await manager.streams.info(jobs.stream)).state.messages;
}

async function emptied(platform: TestControlPlane): Promise<void> {
  await expect.poll(() => platform.sql("SELECT id FROM outbox_message"), { timeout: 10_000 }).toEqual([]);
}

const row = `INSERT INTO outbox_message (kind, payload) VALUES ('job', '{"kind":"job","pool":"cpu","job":{"kind":"build","attempt":"a"}}') RETURNING id::text`;

test("what a control plane committed before it died is sent by a sweep of the others, once", async () => {
  await using platform = await testControlPlane();
  await using _other = await testControlPlane({ beside: platform });
  await using nats = await natsOf(platform);
  await platform.sql(row);
  await platform.sql(row);
  await emptied(platform);
  expect(await jobsIn(nats)).toBe(2);
});

test("what was sent but not yet deleted is not doubled", async () => {
  await using platform = await testControlPlane();
  await using nats = await natsOf(platform);
  const { jobs } = nats.catalogue;
  await platform.sql("SELECT setval(pg_get_serial_sequence('outbox_message', 'id'), 1000)");
  await nats.client.publish(jobs.subject("build", "cpu"), JSON.stringify({ kind: "build", attempt: "a" }), { msgID: "outbox-1001" });
  expect(await platform.sql(row)).toEqual([{ id: "1001" }]);
  await emptied(platform);
  expect(await jobsIn(nats)).toBe(1);
});

test("a message that cannot be sent is kept, and does not hold up others", async () => {
  await using platform = await testControlPlane();
  const tag = { kind: "tag", repository: "No Such Name", digest: `sha256:${"0".repeat(64)}`, tag: "x" };
  await platform.sql("INSERT INTO outbox_message (kind, payload) VALUES ('tag', $1)", [JSON.stringify(tag)]);
  await expect.poll(() => platform.sql("SELECT id FROM outbox_message WHERE tries > 0"), { timeout: 10_000 }).toHaveLength(1);
  await startBuild(platform, chain("one"));
  await expect.poll(() => platform.sql("SELECT id FROM outbox_message WHERE kind <> 'tag'"), { timeout: 10_000 }).toEqual([]);
  expect(await platform.sql("SELECT kind FROM outbox_message")).toEqual([{ kind: "tag" }]);
});

test("the job of an attempt that stays queued is sent again", async () => {
  await using platform = await testControlPlane();
  await using nats = await natsOf(platform);
  await startBuild(platform, chain("one"));
  await emptied(platform);
  await nats.manager.streams.purge(nats.catalogue.jobs.stream);
  await platform.sql("UPDATE attempt SET job_sent_at = now() - interval '61 seconds'");
  await expect.poll(() => jobsIn(nats), { timeout: 10_000 }).toBe(1);
});

test("a NATS that came back empty gets its streams and the job", async () => {
  await using platform = await testControlPlane();
  await using nats = await natsOf(platform);
  await nats.manager.streams.delete(nats.catalogue.jobs.stream);
  await startBuild(platform, chain("one"));
  await emptied(platform);
  expect(await jobsIn(nats)).toBe(1);
});

test("a record whose image is gone before it has its tag is dropped with its message", async () => {
  await using platform = await testControlPlane();
  const digest = `sha256:${"0".repeat(64)}`;
  const id = randomUUID();
  const layer = "a".repeat(64);
  const tag = { kind: "tag", repository: `${platform.config.repositoryPrefix}/default`, digest, tag: `${layer}-${id}` };
  await platform.sql(
    "INSERT INTO record (id, workspace, layer, digest, bytes, builder_version) VALUES ($1, 'default', $2, $3, 1, '2026.11')",
    [id, layer, digest],
  );
  await platform.sql("INSERT INTO outbox_message (kind, payload) VALUES ('tag', $1)", [JSON.stringify(tag)]);
  await emptied(platform);
  expect(await platform.sql("SELECT id FROM record")).toEqual([]);
});
