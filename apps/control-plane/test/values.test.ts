import { catalogue, ErrorInfo, KeptValue, VALUES_PATH } from "@lamina/api";
import { connectNats } from "@lamina/service";
import { jetstreamManager } from "@nats-io/jetstream";
import { randomBytes, randomUUID } from "node:crypto";
import { request } from "node:http";
import { expect, test } from "vitest";
import { z } from "zod";
import { testControlPlane, type TestControlPlane } from "./support/platform.ts";
import { serve } from "./support/serve.ts";

const Refusal = z.object({ error: ErrorInfo });

/** Sends and fetches values as somebody who shows that token. */
function valuesAt(url: string, token: string) {
  const headers = { authorization: `Bearer ${token}` };
  return {
    async put(body: Uint8Array<ArrayBuffer>, type = "application/octet-stream"): Promise<KeptValue> {
      const answer = await fetch(new URL(VALUES_PATH, url), { method: "POST", headers: { ...headers, "content-type": type }, body });
      expect(answer.status).toBe(200);
      return KeptValue.parse(await answer.json());
    },
    get: (object: string) => fetch(new URL(`${VALUES_PATH}/${object}`, url), { headers }),
  };
}

async function bytesOf(answer: Response): Promise<Buffer> {
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

async function storedMessages({ config }: TestControlPlane): Promise<number> {
  const connection = await connectNats({ ...config.nats, name: "test" });
  const manager = await jetstreamManager(connection);
  const { state } = await manager.streams.info(`OBJ_${catalogue(config.namespace).values}`);
  await connection.close();
  return state.messages;
}

test("a value of 5 MB goes in by one end of a call and comes out by the other", async () => {
  await using platform = await testControlPlane();
  await using server = await serve(platform);
  const { tokens } = platform.config;
  const value = randomBytes(5 * 1024 * 1024);
  const kept = await valuesAt(server.url, tokens.client).put(value);
  expect(kept.bytes).toBe(value.length);
  expect((await bytesOf(await valuesAt(server.url, tokens.worker).get(kept.object))).equals(value)).toBe(true);
});

test("whatever a value says to be, its bytes are kept as they are", async () => {
  await using platform = await testControlPlane();
  await using server = await serve(platform);
  const values = valuesAt(server.url, platform.config.tokens.client);
  for (const type of ["application/json", "text/plain", "application/vnd.lamina.value+json"]) {
    const { object } = await values.put(Buffer.from('{ "a" : 1 }'), type);
    expect((await bytesOf(await values.get(object))).toString()).toBe('{ "a" : 1 }');
  }
  const empty = await values.put(Buffer.alloc(0));
  expect(empty.bytes).toBe(0);
  expect(await bytesOf(await values.get(empty.object))).toHaveLength(0);
});

test("a value that there is not is said to be gone, and values need a token of their workspace", async () => {
  await using platform = await testControlPlane();
  await using server = await serve(platform);
  const values = valuesAt(server.url, platform.config.tokens.client);
  for (const object of [randomUUID(), "x", "..%2F.."]) {
    const answer = await values.get(object);
    expect(answer.status).toBe(404);
    expect(Refusal.parse(await answer.json()).error.code).toBe("VALUE_UNREADABLE");
  }
  const { object } = await values.put(Buffer.from("x"));
  await expect(platform.values.get("stranger", object)).rejects.toMatchObject({ code: "VALUE_UNREADABLE" });
  expect((await valuesAt(server.url, "wrong").get(object)).status).toBe(401);
  expect((await fetch(new URL(VALUES_PATH, server.url), { method: "POST", body: "x" })).status).toBe(401);
});

test("an upload that breaks off leaves nothing behind", async () => {
  await using platform = await testControlPlane();
  await using server = await serve(platform);
  await valuesAt(server.url, platform.config.tokens.client).put(Buffer.from("x"));
  const before = await storedMessages(platform);
  const headers = { authorization: `Bearer ${platform.config.tokens.client}`, "content-length": 10_000_000 };
  const upload = request(new URL(VALUES_PATH, server.url), { method: "POST", headers });
  upload.on("error", () => {});
  upload.write(randomBytes(1_000_000));
  await expect.poll(() => storedMessages(platform)).toBeGreaterThan(before);
  upload.destroy();
  await expect.poll(() => storedMessages(platform)).toBe(before);
});
