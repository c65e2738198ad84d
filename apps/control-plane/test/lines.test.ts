/** Who may open which line, and what becomes of what is sent over them. */
import { CALL_LINE_PATH, type EndedCall, LINE_PATH, type Services, StartedOverLine } from "@lamina/api";
import { once } from "node:events";
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";
import type { WebSocket } from "ws";
import { lineWorld } from "./support/direct.ts";
import { done, inputOf } from "./support/functions.ts";
import { httpClient } from "./support/http.ts";
import { openSocket } from "./support/line.ts";
import { testControlPlane } from "./support/platform.ts";
import { serve } from "./support/serve.ts";

type StartInput = Parameters<Services["calls"]["start"]>[1];

/** Asks over a client's line, and resolves to the answer of that number. */
async function ask(socket: WebSocket, number: number, start: unknown): Promise<StartedOverLine> {
  const answer = new Promise<StartedOverLine>((resolve) => {
    const onMessage = (data: Buffer): void => {
      const told = StartedOverLine.parse(JSON.parse(data.toString()));
      if (told.number !== number) return;
      socket.off("message", onMessage);
      resolve(told);
    };
    socket.on("message", onMessage);
  });
  socket.send(JSON.stringify({ number, start }));
  return answer;
}

const startOf = (changes: Partial<StartInput> = {}): StartInput => ({
  app: "shop",
  function: "f",
  calls: [{ id: uuid(), input: inputOf(1) }],
  waitMs: 20_000,
  ...changes,
});

test("a line is opened with the token of its role, and with no other", async () => {
  await using platform = await testControlPlane();
  await using server = await serve(platform);
  const { client, worker } = platform.config.tokens;
  for (const [path, tokens] of [
    [LINE_PATH, [client, "wrong", undefined]],
    [CALL_LINE_PATH, [worker, "wrong", undefined]],
  ] as const) {
    for (const token of tokens) await expect(openSocket(server.url, path, token)).rejects.toThrow("403");
  }
  for (const [path, token] of [
    [LINE_PATH, worker],
    [CALL_LINE_PATH, client],
  ] as const) {
    const socket = await openSocket(server.url, path, token);
    socket.terminate();
  }
});

test("a client's line starts calls, several at a time, and answers each when it has ended", async () => {
  await using world = await lineWorld();
  const { line, platform, url } = world;
  const socket = await openSocket(url, CALL_LINE_PATH, platform.config.tokens.client);
  const [slow, quick] = [startOf(), startOf()];
  const ofSlow = ask(socket, 1, slow);
  const given = await line.calls();
  const ofQuick = ask(socket, 2, quick);
  const queued = await world.take();
  await queued.finish(done("by the queue"));
  const endOf = ({ calls }: StartInput, value: string): EndedCall[] => [{ id: calls[0]?.id ?? "", end: done(value) }];
  expect(await ofQuick).toEqual({ number: 2, ended: endOf(quick, "by the queue") });
  await line.ended(given);
  expect(await ofSlow).toEqual({ number: 1, ended: endOf(slow, "directly") });
  socket.terminate();
});

test("a client's line answers what cannot be started with the reason, and goes on", async () => {
  await using world = await lineWorld();
  const { line, platform, url } = world;
  const socket = await openSocket(url, CALL_LINE_PATH, platform.config.tokens.client);
  const refused = async (number: number, start: unknown, error: object): Promise<void> =>
    expect(await ask(socket, number, start)).toMatchObject({ number, error });
  await refused(1, startOf({ function: "g" }), { code: "NOT_FOUND", message: expect.stringContaining("f") });
  await refused(2, startOf({ method: "add" }), { code: "INVALID_INPUT" });
  await refused(3, startOf({ waitMs: -1 }), { code: "INVALID_INPUT", message: expect.stringContaining("waitMs") });
  await refused(4, null, { code: "INVALID_INPUT" });
  const answer = ask(socket, 5, startOf());
  await line.ended(await line.calls());
  expect(await answer).toMatchObject({ number: 5, ended: [{ end: done("directly") }] });
  socket.terminate();
});

test.each(["no JSON", "[]", '{"start":{}}', '{"number":"one","start":{}}'])(
  "what is no message of a client's line closes it, and nothing else: %s",
  async (text) => {
    await using world = await lineWorld();
    const { line, platform, url } = world;
    const { client } = platform.config.tokens;
    const socket = await openSocket(url, CALL_LINE_PATH, client);
    const other = await openSocket(url, CALL_LINE_PATH, client);
    const answer = ask(other, 1, startOf());
    const given = await line.calls();
    const closed = once(socket, "close");
    socket.send(text);
    await closed;
    await line.ended(given);
    expect(await answer).toMatchObject({ number: 1, ended: [{ end: done("directly") }] });
    other.terminate();
  },
);

test("a client's line that is lost before its call has ended leaves the call to who asks for it", async () => {
  await using world = await lineWorld();
  const { line, platform, url } = world;
  const socket = await openSocket(url, CALL_LINE_PATH, platform.config.tokens.client);
  const start = startOf();
  socket.send(JSON.stringify({ number: 1, start }));
  const given = await line.calls();
  const closed = once(socket, "close");
  socket.terminate();
  await closed;
  const asked = httpClient(url, platform.config.tokens.client).calls.start.mutate({ ...start, again: true });
  expect(await line.next()).toEqual({ type: "kept", permit: world.permit });
  await line.ended(given);
  expect(await asked).toEqual([{ id: start.calls[0]?.id, end: done("directly") }]);
});

test.each(["no JSON", '{"type":"offer","permit":"p"}', '{"type":"ended","permit":"p","calls":[]}', '{"type":"other"}'])(
  "what is no frame of a runner's line closes it, with the permits that it had: %s",
  async (text) => {
    await using world = await lineWorld();
    const { functionId, line, platform, url } = world;
    const socket = await openSocket(url, LINE_PATH, platform.config.tokens.worker);
    await line.send({ type: "withdraw", permit: world.permit });
    const pong = once(socket, "pong");
    socket.send(JSON.stringify({ type: "offer", permit: "of another", function: functionId }));
    socket.ping();
    await pong;
    const closed = once(socket, "close");
    socket.send(text);
    await closed;
    const queued = world.start();
    const taken = await world.take();
    expect(taken.id).toBe(queued.id);
    await taken.finish(done(1));
    await queued.answer;
    await line.offer(functionId, world.permit);
    const { id, answer } = world.start();
    await line.ended(await line.calls());
    expect(await answer).toEqual([{ id, end: done("directly") }]);
  },
);

test("what a runner says of permits that it has not, or of calls that it was not given, changes nothing", async () => {
  await using world = await lineWorld();
  const { line, permit, platform } = world;
  const { id, answer } = world.start();
  const given = await line.calls();
  const other = uuid();
  await line.send({ type: "withdraw", permit: "unknown" });
  await line.send({ type: "back", permit: "unknown", calls: [id] });
  await line.send({ type: "ended", permit: "unknown", calls: [{ id, delivery: 1, end: done("of another") }] });
  await line.send({ type: "ended", permit, calls: [{ id: other, delivery: 1, end: done("of another") }] });
  await line.ended(given);
  expect(await answer).toEqual([{ id, end: done("directly") }]);
  await world.services.calls.get({ workspace: "default", role: "client" }, { id });
  expect(await platform.sql("SELECT FROM call WHERE id = $1", [other])).toEqual([]);
});
