import { describe, expect, test } from "vitest";
import { createRegistry, digestOf, RegistryError } from "../src/index.ts";
import { credentials, startDistribution } from "./support/distribution.ts";
import { serve } from "./support/http-server.ts";
import { putImage } from "./support/images.ts";
import { startTokenServer } from "./support/token-server.ts";

const missing = digestOf(Buffer.from("missing"));

async function failure(promise: Promise<unknown>): Promise<RegistryError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof RegistryError) return error;
  throw new TypeError(`expected a RegistryError, got ${String(error)}`);
}

describe("basic credentials", () => {
  test("without them, or with wrong ones, everything is UNAUTHORIZED", async () => {
    await using distribution = await startDistribution();
    for (const wrong of [undefined, { ...credentials, password: "wrong-and-secret" }]) {
      const repository = createRegistry({ host: distribution.host, insecure: true, credentials: wrong }).repository("team/app");
      const error = await failure(repository.manifest("v1"));
      expect(error).toMatchObject({ code: "UNAUTHORIZED", status: 401 });
      expect(JSON.stringify([error.message, error.stack, error.cause])).not.toContain("wrong-and-secret");
    }
  });
});

describe("tokens", () => {
  test("are asked for each repository and action, and kept until they expire", async () => {
    const tokens = await startTokenServer(600);
    await using _ = tokens.http;
    await using distribution = await startDistribution(tokens.auth);
    const registry = createRegistry({ host: distribution.host, insecure: true, credentials });

    const repository = registry.repository("team/app");
    const image = await putImage(repository, { architecture: "amd64" });
    await repository.tag(image.digest, "v1");
    await repository.resolve("v1", "linux/amd64");
    const shared = await repository.putBlob({ bytes: Buffer.from("shared") });
    expect(await registry.repository("team/other").mountBlob(shared.digest, "team/app")).toBe(true);

    const scopes = tokens.http.requests.map(({ url }) => new URL(url ?? "", "http://token").searchParams.getAll("scope").join(" "));
    expect(scopes).toEqual([
      "repository:team/app:pull",
      "repository:team/app:pull,push",
      "repository:team/other:pull,push repository:team/app:pull",
    ]);
  });

  test("that have expired are asked for again", async () => {
    const tokens = await startTokenServer(0);
    await using _ = tokens.http;
    await using distribution = await startDistribution(tokens.auth);
    const repository = createRegistry({ host: distribution.host, insecure: true, credentials }).repository("team/app");

    await repository.hasBlob(missing);
    await repository.hasBlob(missing);
    expect(tokens.http.requests).toHaveLength(2);
  });

  test("are asked for once by requests beside each other", async () => {
    const tokens = await startTokenServer(600);
    await using _ = tokens.http;
    await using distribution = await startDistribution(tokens.auth);
    const repository = createRegistry({ host: distribution.host, insecure: true, credentials }).repository("team/app");

    await Promise.all(Array.from({ length: 5 }, () => repository.hasBlob(missing)));

    expect(tokens.http.requests).toHaveLength(1);
  });

  test("are not given for wrong credentials, which is UNAUTHORIZED", async () => {
    const tokens = await startTokenServer(600);
    await using _ = tokens.http;
    await using distribution = await startDistribution(tokens.auth);
    const wrong = { ...credentials, password: "wrong-and-secret" };
    const error = await failure(
      createRegistry({ host: distribution.host, insecure: true, credentials: wrong }).repository("team/app").hasBlob(missing),
    );

    expect(error).toMatchObject({ code: "UNAUTHORIZED", message: expect.stringContaining("get a token") });
    expect(`${error.message}${error.stack}`).not.toContain("wrong-and-secret");
  });
});

describe("credentials stay with the registry", () => {
  test("a redirect to another host does not get them", async () => {
    const bytes = Buffer.from("elsewhere");
    await using elsewhere = await serve((_, response) => response.end(bytes));
    await using registryServer = await serve((request, response) => {
      if (request.headers.authorization === undefined) response.writeHead(401, { "www-authenticate": "Basic" }).end();
      else response.writeHead(307, { location: `http://${elsewhere.host}/signed?secret=1` }).end();
    });
    const repository = createRegistry({ host: registryServer.host, insecure: true, credentials }).repository("a/b");

    expect(await (await repository.blob(digestOf(bytes))).toArray()).toEqual([bytes]);
    expect(registryServer.requests.at(-1)?.headers.authorization).toMatch(/^Basic /);
    expect(elsewhere.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test("a host that was redirected to cannot ask for them", async () => {
    await using elsewhere = await serve((_, response) => response.writeHead(401, { "www-authenticate": "Basic" }).end());
    await using registryServer = await serve((_, response) => response.writeHead(307, { location: `http://${elsewhere.host}/x` }).end());
    const repository = createRegistry({ host: registryServer.host, insecure: true, credentials }).repository("a/b");

    await expect(repository.blob(missing)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect([...elsewhere.requests, ...registryServer.requests].map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  test("an upload that goes on at another host goes without them", async () => {
    await using elsewhere = await serve((_, response) => response.writeHead(201).end());
    await using registryServer = await serve((request, response) => {
      if (request.headers.authorization === undefined) response.writeHead(401, { "www-authenticate": "Basic" }).end();
      else if (request.method === "POST") response.writeHead(202, { location: `http://${elsewhere.host}/upload` }).end();
      else response.writeHead(404).end();
    });
    const repository = createRegistry({ host: registryServer.host, insecure: true, credentials }).repository("a/b");

    await repository.putBlob({ bytes: Buffer.from("x") });
    expect(elsewhere.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });
});
