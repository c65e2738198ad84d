import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { createRegistry, digestOf, encodeManifest, mediaTypes } from "../src/index.ts";
import { serve } from "./support/http-server.ts";

const bytes = randomBytes(256 * 1024);
const digest = digestOf(bytes);
const repositoryAt = (host: string, timeouts = {}) => createRegistry({ host, insecure: true, timeouts }).repository("a/b");

describe("a lying registry", () => {
  test("a blob of another digest fails at the end of its stream", async () => {
    await using server = await serve((_, response) => response.end("not that"));
    const stream = await repositoryAt(server.host).blob(digest);
    await expect(buffer(stream)).rejects.toMatchObject({ code: "CORRUPT" });
  });

  test("a manifest of another digest than was asked for or announced is CORRUPT", async () => {
    const manifest = encodeManifest({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
    await using server = await serve((_, response) => {
      response.writeHead(200, { "content-type": manifest.mediaType, "docker-content-digest": digest }).end(manifest.bytes);
    });
    for (const reference of [digest, "v1"])
      await expect(repositoryAt(server.host).manifest(reference)).rejects.toMatchObject({ code: "CORRUPT" });
  });

  test.each([
    ["not JSON", { body: "text", contentType: mediaTypes.ociIndex, code: "CORRUPT" }],
    ["not an object", { body: "[]", contentType: mediaTypes.ociIndex, code: "CORRUPT" }],
    ["not a manifest", { body: "{}", contentType: mediaTypes.ociManifest, code: "CORRUPT" }],
    [
      "of an old kind",
      { body: '{"schemaVersion":1}', contentType: "application/vnd.docker.distribution.manifest.v1+prettyjws", code: "UNSUPPORTED" },
    ],
  ])("a manifest that is %s is refused", async (_, { body, contentType, code }) => {
    await using server = await serve((_request, response) => response.writeHead(200, { "content-type": contentType }).end(body));
    await expect(repositoryAt(server.host).manifest("v1")).rejects.toMatchObject({ code });
  });

  test("a manifest without end is not read to its end", async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { "content-type": mediaTypes.ociIndex });
      response.end(Buffer.alloc(5 * 1024 * 1024));
    });
    await expect(repositoryAt(server.host).manifest("v1")).rejects.toMatchObject({ code: "CORRUPT" });
  });

  test("an index that names itself is CORRUPT", async () => {
    await using server = await serve((_, response) => {
      const entry = { mediaType: mediaTypes.ociIndex, digest, size: 1, platform: { os: "linux", architecture: "amd64" } };
      response.writeHead(200, { "content-type": mediaTypes.ociIndex });
      response.end(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] }));
    });
    await expect(repositoryAt(server.host).resolve("v1", "linux/amd64")).rejects.toMatchObject({ code: "CORRUPT" });
  });

  test("redirects without end are CORRUPT", async () => {
    await using server = await serve((_, response) => response.writeHead(302, { location: "/again" }).end());
    await expect(repositoryAt(server.host).hasBlob(digest)).rejects.toMatchObject({ code: "CORRUPT" });
  });
});

describe("a registry that is away or busy", () => {
  test("nobody listening is UNREACHABLE, with the reason and the cause", async () => {
    const server = await serve(() => undefined);
    await server[Symbol.asyncDispose]();
    await expect(repositoryAt(server.host).hasBlob(digest)).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining("ECONNREFUSED"),
      cause: expect.any(Error),
    });
  });

  test("no answer within the time limit is UNREACHABLE", async () => {
    await using server = await serve(() => undefined);
    await expect(repositoryAt(server.host, { responseMs: 20 }).hasBlob(digest)).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining("no answer within 20 ms"),
    });
  });

  test("a body that stops coming is UNREACHABLE", async () => {
    await using server = await serve((_, response) => void response.writeHead(200, { "content-type": mediaTypes.ociIndex }).write("{"));
    await expect(repositoryAt(server.host, { idleMs: 20 }).manifest("v1")).rejects.toMatchObject({ code: "UNREACHABLE" });
  });

  test.each([429, 500, 503])("status %i is tried again", async (status) => {
    let asked = 0;
    await using server = await serve((_, response) => response.writeHead(++asked < 3 ? status : 200).end());
    expect(await repositoryAt(server.host).hasBlob(digest)).toBe(true);
    expect(asked).toBe(3);
  });

  test("a registry that stays busy is UNAVAILABLE, and says for how long", async () => {
    await using server = await serve((_, response) => response.writeHead(503, { "retry-after": "3600" }).end());
    await expect(repositoryAt(server.host).hasBlob(digest)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      status: 503,
      retryAfterMs: 3_600_000,
    });
    expect(server.requests).toHaveLength(1);
  });

  test("a refusal is not tried again, and carries the registry's words", async () => {
    const body = JSON.stringify({ errors: [{ code: "NAME_INVALID", message: "we do not like it" }] });
    await using server = await serve((_, response) => response.writeHead(400, { "content-type": "application/json" }).end(body));
    await expect(repositoryAt(server.host).manifest("v1")).rejects.toMatchObject({
      code: "REJECTED",
      message: expect.stringContaining("NAME_INVALID: we do not like it"),
    });
    expect(server.requests).toHaveLength(1);
  });
});

describe("a connection that breaks in the middle", () => {
  test.each([true, false])("a download goes on where it broke (ranges: %s)", async (hasRanges) => {
    let asked = 0;
    await using server = await serve((request, response) => {
      const start = hasRanges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
      response.writeHead(start > 0 ? 206 : 200, { "content-length": bytes.byteLength - start });
      const part = bytes.subarray(start);
      if (++asked === 3) response.end(part);
      else response.write(part.subarray(0, 100_000), () => response.destroy());
    });
    expect((await buffer(await repositoryAt(server.host).blob(digest))).equals(bytes)).toBe(true);
  });

  test("a download that breaks again and again fails", async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { "content-length": bytes.byteLength });
      response.write(bytes.subarray(0, 10), () => response.destroy());
    });
    await expect(repositoryAt(server.host).blob(digest).then(buffer)).rejects.toMatchObject({ code: "UNREACHABLE" });
  });

  test("an upload whose last answer was lost is done when the blob is there", async () => {
    let isStored = false;
    await using server = await serve((request, response) => {
      if (request.method === "HEAD") response.writeHead(isStored ? 200 : 404).end();
      else if (request.method === "POST") response.writeHead(202, { location: "/v2/a/b/blobs/uploads/1" }).end();
      else if (isStored) response.writeHead(404).end();
      else {
        isStored = true;
        request.on("end", () => response.destroy());
      }
    });
    expect(await repositoryAt(server.host).putBlob({ bytes })).toEqual({ digest, size: bytes.byteLength });
  });
});
