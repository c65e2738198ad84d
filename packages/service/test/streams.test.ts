import { randomUUID } from "node:crypto";
import { catalogue } from "@lamina/api";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { appendToFeed, connectNats, ensureStreams } from "../src/index.ts";
import { testNats } from "./nats-server.ts";

test("a stream of events that took out what was old keeps all from then on, but for a batch that is to go by itself", async () => {
  await using nats = await testNats();
  const connection = await connectNats({ ...nats, name: "test" });
  await using _connection = { [Symbol.asyncDispose]: () => connection.close() };
  const manager = await jetstreamManager(connection);
  const names = catalogue(`t${randomUUID()}`);
  const { stream, subjects, subject } = names.events;
  await manager.streams.add({ name: stream, subjects, max_age: nanos(60_000), allow_direct: true });
  await ensureStreams(manager, names);
  expect((await manager.streams.info(stream)).config).toMatchObject({ max_age: 0, allow_direct: true });

  const append = (writer: string, more: { after: number; seconds?: number }) =>
    appendToFeed(JSON.stringify({ first: 1, events: [writer] }), {
      client: jetstream(connection),
      manager,
      stream,
      subject: subject("a"),
      writer,
      signal: new AbortController().signal,
      onRetry: () => {},
      ...more,
    });
  const kept = await append("kept", { after: 0 });
  await append("going", { after: kept, seconds: 1 });
  const writers = async () => (await manager.streams.getMessage(stream, { last_by_subj: subject("a") }))?.header?.get("Lamina-Writer");
  expect(await writers()).toBe("going");
  await expect.poll(writers, { timeout: 10_000 }).toBe("kept");
});
