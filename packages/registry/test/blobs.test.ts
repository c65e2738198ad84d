import { createHash, randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRegistry, digestOf, type Registry } from "../src/index.ts";
import { pieceBytes } from "../src/upload.ts";
import { credentials, startDistribution, type Distribution } from "./support/distribution.ts";

const mebibyte = 1024 * 1024;

let distribution: Distribution;
let registry: Registry;
beforeAll(async () => {
  distribution = await startDistribution();
  registry = createRegistry({ host: distribution.host, insecure: true, credentials });
});
afterAll(() => distribution[Symbol.asyncDispose]());

/** What buffers hold that somebody still refers to, in bytes. */
function bytesInUse(): number {
  if (globalThis.gc === undefined) throw new Error("the garbage collector cannot be asked");
  globalThis.gc();
  return process.memoryUsage().arrayBuffers;
}

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += size) yield bytes.subarray(offset, offset + size);
}

describe("putBlob and blob", () => {
  test.each([0, 1, pieceBytes - 1, pieceBytes, pieceBytes + 1, 2 * pieceBytes])(
    "%i bytes come back as they were, from a stream of unknown digest",
    async (size) => {
      const repository = registry.repository("blobs/sizes");
      const bytes = randomBytes(size);

      const stored = await repository.putBlob({ stream: chunksOf(bytes, 100_003) });

      expect(stored).toEqual({ digest: digestOf(bytes), size });
      expect((await buffer(await repository.blob(stored.digest))).equals(bytes)).toBe(true);
    },
  );

  test("bytes longer than a piece are stored too", async () => {
    const repository = registry.repository("blobs/bytes");
    const bytes = randomBytes(pieceBytes + 5);
    const { digest } = await repository.putBlob({ bytes });
    expect((await buffer(await repository.blob(digest))).equals(bytes)).toBe(true);
  });

  test("a stream that is not what was announced is refused, and nothing is stored", async () => {
    const repository = registry.repository("blobs/announced");
    const bytes = randomBytes(pieceBytes + 1);
    const wrong = digestOf(Buffer.from("other"));

    await expect(repository.putBlob({ stream: chunksOf(bytes, mebibyte), digest: wrong })).rejects.toMatchObject({ code: "CORRUPT" });
    await expect(repository.putBlob({ stream: chunksOf(bytes, mebibyte), size: 3 })).rejects.toMatchObject({ code: "CORRUPT" });
    expect(await repository.hasBlob(wrong)).toBe(false);
    expect(await repository.hasBlob(digestOf(bytes))).toBe(false);
  });

  test("a stream of a blob that is there already is closed unread", async () => {
    const repository = registry.repository("blobs/known");
    const stored = await repository.putBlob({ bytes: Buffer.from("known") });
    let wasRead = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      wasRead = true;
      yield Buffer.from("known");
    }

    expect(await repository.putBlob({ stream: source(), ...stored })).toEqual(stored);
    expect(wasRead).toBe(false);
  });

  test("the error of a source that breaks is thrown as it is", async () => {
    const broken = new Error("the disk is gone");
    async function* source(): AsyncGenerator<Uint8Array> {
      yield randomBytes(2 * pieceBytes + 1);
      throw broken;
    }
    await expect(registry.repository("blobs/broken").putBlob({ stream: source() })).rejects.toBe(broken);
  });

  test("memory stays flat while a large blob is sent and read", async () => {
    const repository = registry.repository("blobs/large");
    const size = 384 * mebibyte;
    const chunk = randomBytes(mebibyte);
    let peak = 0;
    const sample = (bytes: number): void => {
      if (bytes % (64 * mebibyte) < mebibyte) peak = Math.max(peak, bytesInUse());
    };
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < size; sent += chunk.byteLength) {
        chunk.writeUInt32LE(sent / chunk.byteLength, 0);
        sample(sent);
        yield chunk;
      }
    }

    const stored = await repository.putBlob({ stream: source() });
    const hash = createHash("sha256");
    let read = 0;
    const parts: AsyncIterable<Buffer> = await repository.blob(stored.digest);
    for await (const part of parts) {
      sample((read += part.byteLength));
      hash.update(part);
    }

    expect(stored.size).toBe(size);
    expect(`sha256:${hash.digest("hex")}`).toBe(stored.digest);
    expect(peak).toBeLessThan(size / 2);
  }, 60_000);
});

describe("mountBlob", () => {
  test("takes a blob over from another repository, and says when there is none", async () => {
    const { digest } = await registry.repository("mount/from").putBlob({ bytes: Buffer.from("shared") });
    const to = registry.repository("mount/to");

    expect(await to.mountBlob(digest, "mount/from")).toBe(true);
    expect(await to.hasBlob(digest)).toBe(true);
    expect(await to.mountBlob(digestOf(Buffer.from("missing")), "mount/from")).toBe(false);
  });
});

describe("signals", () => {
  test("an aborted signal ends a request with its own reason", async () => {
    const reason = new Error("not wanted any more");
    const signal = AbortSignal.abort(reason);
    await expect(registry.repository("blobs/sizes").hasBlob(digestOf(Buffer.of()), { signal })).rejects.toBe(reason);
  });

  test("a download ends in the middle", async () => {
    const repository = registry.repository("blobs/aborted");
    const { digest } = await repository.putBlob({ bytes: randomBytes(4 * mebibyte) });
    const reason = new Error("not wanted any more");
    const controller = new AbortController();
    const stream = await repository.blob(digest, { signal: controller.signal });
    const read = async () => {
      for await (const _ of stream) controller.abort(reason);
    };
    await expect(read()).rejects.toBe(reason);
  });
});
