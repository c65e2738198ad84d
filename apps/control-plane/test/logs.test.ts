import { catalogue, type LogBatch } from "@lamina/api";
import { connectNats } from "@lamina/service";
import { jetstream } from "@nats-io/jetstream";
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";
import { client, testControlPlane, type TestControlPlane, worker } from "./support/platform.ts";
import { deploy, done, functionOf, materials, startCalls } from "./support/functions.ts";

type Follow = Parameters<TestControlPlane["services"]["calls"]["logs"]>[1];

interface Read {
  readonly cursor: string;
  readonly line: string | undefined;
}

/** The first line of each batch, up to the end of the logs, or until `enough`. */
async function linesOf(
  { services }: TestControlPlane,
  follow: Follow,
  enough: (read: readonly Read[]) => boolean = () => false,
): Promise<Read[]> {
  const stop = new AbortController();
  const read: Read[] = [];
  for await (const { cursor, event } of services.calls.logs(client, follow, stop.signal)) {
    read.push({ cursor, line: event.lines[0] });
    if (enough(read)) break;
  }
  stop.abort();
  return read;
}

const lines = (read: readonly Read[]) => read.map(({ line }) => line);

async function writerOf({ config }: TestControlPlane, app: string) {
  const connection = await connectNats({ ...config.nats, name: "fake-runner" });
  const client = jetstream(connection);
  const { logs } = catalogue(config.namespace);
  return {
    async write(call: string | undefined, line: string): Promise<void> {
      const batch: LogBatch = { at: 1, function: "f", call, container: "c", stream: "stdout", lines: [line] };
      await client.publish(logs.subject(app, call), JSON.stringify(batch));
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

test("logs of an app and of a call are read to what is there, from any cursor", async () => {
  await using platform = await testControlPlane();
  const { app } = await deploy(platform, [functionOf(await materials(platform), "f")]);
  const [a = "", b = ""] = await startCalls(platform, 2);
  await using writer = await writerOf(platform, app);
  const ofApp = { of: { kind: "app", app: "shop" }, follow: false } as const;
  expect(await linesOf(platform, ofApp)).toEqual([]);
  await writer.write(undefined, "setting up");
  await writer.write(a, "a1");
  await writer.write(b, "b1");
  await writer.write(a, "a2");
  const all = await linesOf(platform, ofApp);
  expect(lines(all)).toEqual(["setting up", "a1", "b1", "a2"]);
  for (const [index, { cursor }] of all.entries()) {
    expect(await linesOf(platform, { ...ofApp, lastEventId: cursor })).toEqual(all.slice(index + 1));
  }
  expect(lines(await linesOf(platform, { ...ofApp, of: { kind: "app", app } }))).toEqual(lines(all));
  const ofCall = { of: { kind: "call", call: a }, follow: false } as const;
  expect(lines(await linesOf(platform, ofCall))).toEqual(["a1", "a2"]);
  await expect(linesOf(platform, { ...ofCall, of: { kind: "call", call: uuid() } })).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(linesOf(platform, { ...ofCall, lastEventId: "x" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
});

test("who follows a call has all that was written when it ended, and then the end", async () => {
  await using platform = await testControlPlane();
  const { app } = await deploy(platform, [functionOf(await materials(platform), "f")]);
  const [call = ""] = await startCalls(platform);
  await using writer = await writerOf(platform, app);
  await writer.write(call, "before");
  const follow = { of: { kind: "call", call }, follow: true } as const;
  const first = await linesOf(platform, follow, (read) => read.length === 1);
  expect(lines(first)).toEqual(["before"]);
  const rest = linesOf(platform, { ...follow, lastEventId: first[0]?.cursor });
  await writer.write(call, "while it runs");
  await writer.write(call, "at the end");
  await platform.services.calls.finish(worker, { calls: [{ id: call, delivery: 1, end: done(1) }] });
  expect(lines(await rest)).toEqual(["while it runs", "at the end"]);
  expect(lines(await linesOf(platform, follow))).toEqual(["before", "while it runs", "at the end"]);
});

test("who follows an app sees what comes until he ends it", async () => {
  await using platform = await testControlPlane();
  const { app } = await deploy(platform, [functionOf(await materials(platform), "f")]);
  await using writer = await writerOf(platform, app);
  await writer.write(undefined, "one");
  const following = linesOf(platform, { of: { kind: "app", app: "shop" }, follow: true }, (read) => read.length === 3);
  await writer.write(undefined, "two");
  await writer.write(undefined, "three");
  expect(lines(await following)).toEqual(["one", "two", "three"]);
});

test("who follows an app has what it wrote when it was stopped, and a while after that the end, then at once", async () => {
  await using platform = await testControlPlane();
  const { app } = await deploy(platform, [functionOf(await materials(platform), "f")]);
  await using writer = await writerOf(platform, app);
  await writer.write(undefined, "one");
  const follow = { of: { kind: "app", app: "shop" }, follow: true } as const;
  const begun = Promise.withResolvers<void>();
  const following = linesOf(platform, follow, () => {
    begun.resolve();
    return false;
  });
  await begun.promise;
  await platform.services.apps.stop(client, { app: "shop" });
  await writer.write(undefined, "cleaning up");
  await platform.sql("UPDATE app SET heard_at = heard_at - interval '1 minute'");
  expect(lines(await following)).toEqual(["one", "cleaning up"]);
  expect(lines(await linesOf(platform, follow))).toEqual(["one", "cleaning up"]);
});
