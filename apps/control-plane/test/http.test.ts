import { PACK_PATH, PackReceipt, RPC_PATH } from "@lamina/api";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { zstdCompressSync } from "node:zlib";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import { fakeBuilder } from "./support/builder.ts";
import { followOverHttp, httpClient } from "./support/http.ts";
import { testControlPlane } from "./support/platform.ts";
import { attemptOf, chain } from "./support/requests.ts";
import { serve } from "./support/serve.ts";

test("a build goes from plan to end over HTTP", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  await using server = await serve(platform);
  const client = httpClient(server.url, platform.config.tokens.client);
  const image = chain("one");
  expect((await client.images.plan.mutate({ definition: image })).layers).toHaveLength(2);
  const { build } = await client.builds.start.mutate({ definition: image, sources: [null, null] });
  const following = followOverHttp(client, build);
  await builder.make(await attemptOf(platform, build));
  const types = (await following).map(({ event }) => event.type);
  expect(types.at(0)).toBe("planned");
  expect(types.at(-1)).toBe("done");
});

test("a token opens what is its role's, and nothing without one", async () => {
  await using platform = await testControlPlane();
  await using server = await serve(platform);
  const { client, worker } = platform.config.tokens;
  await expect(httpClient(server.url, "wrong").platform.info.query()).rejects.toMatchObject({ data: { lamina: { code: "UNAUTHORIZED" } } });
  await expect(httpClient(server.url, worker).platform.info.query()).rejects.toMatchObject({ data: { lamina: { code: "FORBIDDEN" } } });
  const claim = httpClient(server.url, client).attempts.claim.mutate({ id: "a", worker: "w", nonce: "n" });
  await expect(claim).rejects.toMatchObject({ data: { lamina: { code: "FORBIDDEN" } } });
  expect(await httpClient(server.url, worker).attempts.claim.mutate({ id: "a", worker: "w", nonce: "n" })).toBeNull();
  expect((await fetch(new URL(PACK_PATH, server.url), { method: "POST", body: "x" })).status).toBe(401);
  expect((await fetch(new URL("/readyz", server.url))).status).toBe(200);
});

test("packs come in over HTTP, and a lying one is refused", async () => {
  await using platform = await testControlPlane();
  await using server = await serve(platform);
  const send = async (name: string, content: string) => {
    const tar = pack();
    tar.entry({ name }, content);
    tar.finalize();
    const headers = { authorization: `Bearer ${platform.config.tokens.client}`, "content-type": "application/octet-stream" };
    return fetch(new URL(PACK_PATH, server.url), { method: "POST", headers, body: zstdCompressSync(await buffer(tar)) });
  };
  const name = createHash("sha256").update("content").digest("hex");
  expect(PackReceipt.parse(await (await send(name, "content")).json())).toMatchObject({ files: 1 });
  const refused = await send(name, "other content");
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({ error: { code: "CONTEXT_CORRUPT" } });
});

test("a connection on which a pack was refused before all of it came takes the next request", async () => {
  await using platform = await testControlPlane();
  await using server = await serve(platform);
  const { hostname, port } = new URL(server.url);
  const body = Buffer.alloc(32 * 1024 * 1024);
  const head = (method: string, path: string, fields: readonly string[]) =>
    [`${method} ${path} HTTP/1.1`, `host: ${hostname}`, ...fields, "", ""].join("\r\n");
  await using connection = connect(Number(port), hostname);
  const authorization = `authorization: Bearer ${platform.config.tokens.client}`;
  connection.write(head("POST", PACK_PATH, [authorization, "content-type: application/zstd", `content-length: ${body.length}`]));
  connection.write(body);
  connection.write(head("GET", "/healthz", ["connection: close"]));
  expect(await text(connection)).toMatch(/^HTTP\/1\.1 422 [^]*CONTEXT_CORRUPT[^]*HTTP\/1\.1 200 /);
});

test("a fault shows an id and nothing of its inside", async () => {
  await using platform = await testControlPlane();
  await using server = await serve(platform);
  const client = httpClient(server.url, platform.config.tokens.client);
  const { build } = await client.builds.start.mutate({ definition: chain("one"), sources: [] });
  await platform.sql("UPDATE build SET error = '{}' WHERE id = $1", [build]);
  const error: unknown = await client.builds.get.query({ id: build }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ data: { lamina: { code: "INTERNAL", message: expect.stringMatching(/under [0-9a-f-]{36}/) } } });
  expect(JSON.stringify(error)).not.toContain("expected");
});

test.each([
  { what: "no JSON", path: "calls.cancel", body: '{"ids":', status: 400, code: "INVALID_INPUT" },
  { what: "nothing", path: "calls.cancel", body: "", status: 400, code: "INVALID_INPUT" },
  { what: "JSON of another type", path: "calls.cancel", body: '["ids"]', status: 400, code: "INVALID_INPUT" },
  { what: "an unknown path", path: "calls.begin", body: "{}", status: 404, code: "NOT_FOUND" },
  { what: "the path of a query", path: "calls.get", body: "{}", status: 404, code: "NOT_FOUND" },
])("a mutation with $what is answered as the router answers", async ({ path, body, status, code }) => {
  await using platform = await testControlPlane();
  await using server = await serve(platform);
  const headers = { authorization: `Bearer ${platform.config.tokens.client}`, "content-type": "application/json" };
  const response = await fetch(new URL(`${RPC_PATH}/${path}`, server.url), { method: "POST", headers, body });
  const lamina = { code, message: expect.any(String) };
  const answer: unknown = await response.json();
  expect({ status: response.status, answer }).toMatchObject({
    status,
    answer: { error: { message: expect.any(String), code: expect.any(Number), data: { path, lamina } } },
  });
});
