import { base, testControlPlane, type TestControlPlane } from "@lamina/testkit";
import { type BuildEvent, buildImage, type Client, type ClientEvent, connect, Image, imageState, planImage, Secret } from "lamina";
import { createServer } from "node:http";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import getPort from "get-port";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planned } from "../src/plan.ts";
import { upload, type UploadProgress } from "../src/upload/upload.ts";
import { type Workspace, workspace } from "./support/workspace.ts";

let platform: TestControlPlane;
let client: Client;

beforeAll(async () => {
  await base("3.13");
  platform = await testControlPlane();
  client = await connect(platform);
});
afterAll(() => platform?.[Symbol.asyncDispose]());

/** Sends what is missing of an image, and tells what was said meanwhile. */
async function send(image: Image): Promise<UploadProgress[]> {
  const reports: UploadProgress[] = [];
  const { trees } = await planned(client, imageState(image), {});
  await upload(client, trees, { onProgress: (progress) => reports.push(progress) });
  return reports;
}

async function eventsOf(feed: AsyncIterable<BuildEvent>): Promise<BuildEvent[]> {
  const events: BuildEvent[] = [];
  for await (const event of feed) events.push(event);
  return events;
}

const copying = (place: Workspace) => Image.debianSlim({ pythonVersion: "3.13" }).copyLocalDir(place.directory, "/app");

test("a plan says what is missing and what would be sent, and sends nothing", async () => {
  await using place = await workspace();
  await place.write({ a: randomBytes(1000), "b/c": randomBytes(500) });
  const image = copying(place).env({ A: "1" });
  const plan = await planImage(client, image);
  expect(plan.layers.map(({ operation, status }) => [operation, status])).toEqual([
    ["debianSlim", "hit"],
    ["copyLocalDir", "missing"],
    ["env", "missing"],
  ]);
  expect(plan.image).toBe(plan.layers.at(-1)?.id);
  expect(plan.upload).toEqual({ files: 2, bytes: 1500 });
  expect((await planImage(client, image)).upload).toEqual({ files: 2, bytes: 1500 });
});

test("the same sources give the same ids, wherever they lie", async () => {
  await using one = await workspace();
  await using other = await workspace();
  for (const place of [one, other]) await place.write({ "src/a.py": "print()" });
  expect((await planImage(client, copying(one))).image).toBe((await planImage(client, copying(other))).image);
});

test("files are sent once, with progress up to the last byte", async () => {
  await using place = await workspace();
  await place.write(Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`d${index % 7}/f${index}`, randomBytes(index)])));
  const reports = await send(copying(place));
  const total = (300 * 299) / 2;
  expect(reports.at(-1)).toEqual({ type: "upload", bytes: total, total });
  expect(reports.map(({ bytes }) => bytes)).toEqual(reports.map(({ bytes }) => bytes).sort((a, b) => a - b));
  expect((await planImage(client, copying(place))).upload).toEqual({ files: 0, bytes: 0 });

  await place.write({ "d0/f0": "changed" });
  expect((await planImage(client, copying(place))).upload).toEqual({ files: 1, bytes: 7 });
});

test("files of several packs, big ones among them, arrive whole", async () => {
  await using place = await workspace();
  const mib = 1024 * 1024;
  await place.write({
    big: randomBytes(40 * mib),
    ...Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`f${index}`, randomBytes(5 * mib)])),
  });
  const reports = await send(copying(place));
  expect(reports.at(-1)).toMatchObject({ bytes: 90 * mib });
  expect((await planImage(client, copying(place))).missingTrees).toEqual([]);
});

test("a file that changes between planning and sending is an error that says so", async () => {
  await using place = await workspace();
  await place.write({ a: randomBytes(100) });
  const { trees } = await planned(client, imageState(copying(place)), {});
  await writeFile(place.path("a"), randomBytes(100));
  await expect(upload(client, trees, { onProgress: () => {} })).rejects.toMatchObject({
    code: "INVALID_INPUT",
    reason: "changed-file",
    message: expect.stringMatching(/files\/a" changed while it was read/),
    info: { source: { file: import.meta.filename } },
  });
});

test("what cannot be built says where it was asked for, by plan and by build, and nothing is left of it", async () => {
  await using place = await workspace();
  await place.write({ "ignored/.dockerignore": "[", a: "a", "changing/a": "a", "new/file": randomBytes(1000) });
  const slim = Image.debianSlim({ pythonVersion: "3.13" });
  const change = (file: string) => (appendFileSync(file, "more"), true);
  const withFile = (image: Image) => image.copyLocalDir(place.path("new"), "/new");
  const bad: readonly (readonly [code: string, reason: string | undefined, image: Image])[] = [
    ["BASE_NOT_FOUND", "unknown-python-version", withFile(Image.debianSlim({ pythonVersion: "3.99" }))],
    ["BASE_NOT_FOUND", "unknown-base", withFile(Image.fromRegistry(`${platform.environment.LAMINA_REGISTRY}/bases/python:none`))],
    ["SECRET_MISSING", "unknown-secret", withFile(slim).runCommands("true", { secrets: [Secret.fromName("nowhere")] })],
    ["POOL_UNAVAILABLE", undefined, withFile(slim).runCommands("true", { gpu: "H100" })],
    ["INVALID_INPUT", "missing-file", withFile(slim).copyLocalFile(place.path("missing"), "/x")],
    ["INVALID_INPUT", "wrong-file-kind", withFile(slim).copyLocalDir(place.path("a"), "/x")],
    ["INVALID_INPUT", "invalid-ignore-pattern", withFile(slim).copyLocalDir(place.path("ignored"), "/x")],
    ["INVALID_INPUT", "changed-file", withFile(slim).copyLocalDir(place.path("changing"), "/x", { condition: change })],
  ];
  const before = await client.builds.list(100);
  for (const [code, reason, image] of bad) {
    for (const ask of [buildImage, planImage]) {
      await expect(ask(client, image)).rejects.toMatchObject({ code, reason, info: { source: { file: import.meta.filename } } });
    }
  }
  expect(await client.builds.list(100)).toEqual(before);
  expect((await planImage(client, withFile(slim))).upload).toEqual({ files: 1, bytes: 1000 });
});

test("an image that is a base alone is done at once", async () => {
  const result = await buildImage(client, Image.debianSlim({ pythonVersion: "3.13" }), { name: "base" });
  expect(result).toMatchObject({
    ref: expect.stringContaining(`@${result.digest}`),
    layers: [{ id: result.id, operation: "debianSlim", status: "hit" }],
  });
  expect(await client.builds.list(100)).toContainEqual(expect.objectContaining({ name: "base", state: "done", ref: result.ref }));
});

describe("following a build", () => {
  /** A build that no builder will take. */
  const waiting = () => Image.debianSlim({ pythonVersion: "3.13" }).runCommands(`echo ${randomBytes(8).toString("hex")}`);

  test("when its signal aborts, the build is cancelled on the platform too", async () => {
    const controller = new AbortController();
    const events: ClientEvent[] = [];
    const building = buildImage(client, waiting(), {
      signal: controller.signal,
      onEvent: (event) => {
        events.push(event);
        if (event.type === "attempt") controller.abort();
      },
    });
    await expect(building).rejects.toMatchObject({ code: "CANCELLED" });
    const started = events.find((event) => event.type === "build");
    expect(await client.builds.get(started?.build ?? "")).toMatchObject({ state: "cancelled" });
    expect(events.map(({ type }) => type)).toEqual(["build", "planned", "attempt"]);
  });

  test("goes on over a control plane that is killed and started again, each event once", async () => {
    const events: BuildEvent[] = [];
    const { build } = await startWaiting(waiting());
    const { promise: attempted, resolve } = Promise.withResolvers<void>();
    const following = (async () => {
      for await (const event of client.builds.follow(build)) {
        events.push(event);
        if (event.type === "attempt") resolve();
      }
    })();
    await attempted;
    await platform.kill();
    await platform.start();
    await client.builds.cancel(build);
    await following;
    expect(events.map(({ type }) => type)).toEqual(["planned", "attempt", "cancelled"]);
  });

  test("a feed until now ends with what is there, though the build goes on", async () => {
    const { build } = await startWaiting(waiting());
    const events = await eventsOf(client.builds.follow(build, { until: "now" }));
    expect(events.map(({ type }) => type)).toEqual(["planned", "attempt"]);
    await client.builds.cancel(build);
  });

  test("a build that does not exist is an error", async () => {
    const reading = eventsOf(client.builds.follow("019a0000-0000-7000-8000-000000000000"));
    await expect(reading).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  async function startWaiting(image: Image): Promise<{ build: string }> {
    const { snapshot } = await planned(client, imageState(image), {});
    return client.builds.start({ definition: snapshot.definition, sources: [null, null] });
  }
});

describe("access", () => {
  const image = Image.debianSlim({ pythonVersion: "3.13" });

  test("a wrong token is refused in words that help", async () => {
    const stranger = await connect({ url: platform.url, token: "nobody's" });
    await expect(planImage(stranger, image)).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      message: expect.stringContaining("LAMINA_TOKEN"),
    });
    await expect(eventsOf(stranger.builds.follow("x"))).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  });

  test("a platform that is not there is said to be so at once", async () => {
    const nowhere = await connect({ url: `http://127.0.0.1:${await getPort()}`, token: "t" });
    await expect(planImage(nowhere, image)).rejects.toMatchObject({ code: "UNREACHABLE", message: expect.stringContaining("lamina up") });
  });

  test("something else that answers is no platform", async () => {
    const server = createServer((_, response) => response.end("<html>")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const other = await connect({ url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, token: "t" });
    await expect(planImage(other, image)).rejects.toMatchObject({ code: "UNREACHABLE" });
    server.close();
  });

  test("values of secrets are sent with the request to build, and come back nowhere", async () => {
    const controller = new AbortController();
    const secret = Secret.fromDict({ TOKEN: "hunter2-and-more" });
    const events: ClientEvent[] = [];
    const onEvent = (event: ClientEvent) => {
      events.push(event);
      if (event.type === "attempt") controller.abort();
    };
    const building = buildImage(client, image.runCommands("echo $TOKEN | wc -c", { secrets: [secret] }), {
      onEvent,
      signal: controller.signal,
    });
    await expect(building).rejects.toMatchObject({ code: "CANCELLED" });
    expect(JSON.stringify([events, await client.builds.list(100)])).not.toContain("hunter2");
  });
});
