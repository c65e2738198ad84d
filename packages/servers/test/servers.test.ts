import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Client } from "pg";
import { expect, test } from "vitest";
import type { ServerAddresses } from "../src/index.ts";
import { runCommand } from "../src/command.ts";
import { basicAuthorization } from "../src/registry.ts";
import { firstChild } from "../src/process-identity.ts";
import { runningServers } from "../src/running.ts";
import { CACHE, eventually, processesNaming, startIn, temporaryDirectory } from "./support.ts";

const NAMES = ["buildkitd", "containerd", "nats", "postgres", "registry"];

async function query(servers: ServerAddresses, statement: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: servers.postgres.url });
  // A connection that breaks is an event; what was asked on it fails too.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

async function publish({ nats }: ServerAddresses, text: string): Promise<number> {
  const connection = await connect({ servers: nats.url, user: nats.user, pass: nats.password });
  try {
    await (await jetstreamManager(connection)).streams.add({ name: "trial", subjects: ["trial"] });
    return (await jetstream(connection).publish("trial", text)).seq;
  } finally {
    await connection.close();
  }
}

async function registryRequest({ registry }: ServerAddresses, path: string, init: RequestInit = {}): Promise<Response> {
  const url = new URL(path, `http://${registry.host}`);
  return fetch(url, { ...init, headers: { authorization: basicAuthorization(registry.user, registry.password) } });
}

async function pushBlob(servers: ServerAddresses, content: string): Promise<string> {
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  const upload = await registryRequest(servers, "/v2/trial/blobs/uploads/", { method: "POST" });
  const location = new URL(upload.headers.get("location") ?? "", `http://${servers.registry.host}`);
  location.searchParams.set("digest", digest);
  const done = await registryRequest(servers, location.href, { method: "PUT", body: content });
  expect(done.status).toBe(201);
  return digest;
}

async function buildkitWorkers(servers: ServerAddresses): Promise<string> {
  return runCommand(join(servers.binaries, "buildctl"), ["--addr", servers.buildkit.address, "debug", "workers"]);
}

async function containerdVersion(servers: ServerAddresses): Promise<string> {
  return runCommand(join(servers.binaries, "ctr"), ["--address", servers.containerd.address, "version"]);
}

test("every server can be used, keeps its data and address, and leaves nothing when stopped", async () => {
  await using directory = await temporaryDirectory();
  await using first = await startIn(directory.path);
  await query(first, "create table trial as select 42 as answer");
  expect(await publish(first, "one")).toBe(1);
  const digest = await pushBlob(first, "content");
  expect(await buildkitWorkers(first)).toContain("linux/");
  expect(await containerdVersion(first)).toContain("Server:");
  await first.stop();
  expect(await processesNaming(directory.path)).toEqual([]);
  expect(await readFile("/proc/mounts", "utf8")).not.toContain(directory.path);

  await using second = await startIn(directory.path);
  expect(JSON.stringify(second)).toBe(JSON.stringify(first));
  expect(await query(second, "select answer from trial")).toEqual([{ answer: 42 }]);
  expect(await publish(second, "two")).toBe(2);
  expect(await (await registryRequest(second, `/v2/trial/blobs/${digest}`)).text()).toBe("content");
  expect((await registryRequest(second, `/v2/trial/blobs/${digest}`, { method: "DELETE" })).status).toBe(202);
  await second.stop();
});

test("nobody gets in without the credentials, which no argument shows and no other user reads", async () => {
  await using directory = await temporaryDirectory();
  await using servers = await startIn(directory.path);
  const passwords = [new URL(servers.postgres.url).password, servers.nats.password, servers.registry.password];

  const wrongUrl = new URL(servers.postgres.url);
  wrongUrl.password = "wrong";
  await expect(query({ ...servers, postgres: { url: wrongUrl.href } }, "select 1")).rejects.toThrow("password authentication failed");
  await expect(publish({ ...servers, nats: { ...servers.nats, password: "wrong" } }, "x")).rejects.toThrow(/authorization/i);
  expect((await fetch(`http://${servers.registry.host}/v2/`)).status).toBe(401);

  const commandLines = (await processesNaming(directory.path)).join("\n");
  for (const password of passwords) expect(commandLines).not.toContain(password);
  for (const path of [".", "postgres", "logs", "run"]) expect((await stat(join(directory.path, path))).mode & 0o77).toBe(0);
  for (const path of ["settings.json", "nats/nats.json", "registry/registry.json", "registry/htpasswd"]) {
    expect((await stat(join(directory.path, path))).mode & 0o777).toBe(0o600);
  }
  await servers.stop();
});

test("what BuildKit writes of a running step, secrets among it, is in memory only, and nobody else sees it", async () => {
  await using directory = await temporaryDirectory();
  await using servers = await startIn(directory.path);
  const buildkit = (await runningServers(directory.path)).find(({ name }) => name === "buildkitd");
  const init = await firstChild(buildkit?.pid ?? 0);
  const executor = `lamina ${directory.path}/buildkit/root/runc-overlayfs/executor `;
  expect(await readFile(`/proc/${init}/mounts`, "utf8")).toContain(executor);
  expect(await readFile("/proc/mounts", "utf8")).not.toContain(executor);
  await servers.stop();
});

test("a killed server comes back and works", async () => {
  await using directory = await temporaryDirectory();
  await using servers = await startIn(directory.path);
  const before = await runningServers(directory.path);
  expect(before.map(({ name }) => name)).toEqual(NAMES);
  for (const { pid } of before) process.kill(pid, "SIGKILL");

  const works = async (use: () => Promise<unknown>): Promise<unknown> => eventually(() => use().catch(() => undefined));
  await works(() => query(servers, "select 1"));
  await works(() => publish(servers, "x"));
  await works(() => pushBlob(servers, "content"));
  await works(() => buildkitWorkers(servers));
  await works(() => containerdVersion(servers));
  const killed = new Set(before.map(({ pid }) => pid));
  expect((await runningServers(directory.path)).filter(({ pid }) => killed.has(pid))).toEqual([]);
  await servers.stop();
  expect(await processesNaming(directory.path)).toEqual([]);
});

test("a start after the supervisor was killed ends what it left behind", async () => {
  await using directory = await temporaryDirectory();
  const supervisor = spawn(process.execPath, [join(import.meta.dirname, "supervisor.ts"), directory.path, CACHE], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [ready] = await once(supervisor.stdout, "data");
  expect(String(ready)).toBe("ready\n");
  const left = await runningServers(directory.path);

  // While it lives, nobody else gets the directory.
  await expect(startIn(directory.path)).rejects.toThrow(`under process ${supervisor.pid}`);

  // Its output closes with it: the servers do not hold it open.
  const closed = once(supervisor, "close");
  supervisor.kill("SIGKILL");
  await closed;
  expect(await runningServers(directory.path)).toEqual(left);

  await using servers = await startIn(directory.path);
  expect(await query(servers, "select 1 as one")).toEqual([{ one: 1 }]);
  const now = await runningServers(directory.path);
  expect(now.map(({ name }) => name)).toEqual(NAMES);
  expect(now.filter(({ pid }) => left.some((server) => server.pid === pid))).toEqual([]);
  await servers.stop();
  expect(await processesNaming(directory.path)).toEqual([]);
});

test("a port that somebody else took is replaced", async () => {
  await using directory = await temporaryDirectory();
  await using first = await startIn(directory.path);
  await first.stop();
  const stranger = createServer().listen(Number(new URL(first.nats.url).port), "127.0.0.1");
  await once(stranger, "listening");
  await using second = await startIn(directory.path);
  expect(second.nats.url).not.toBe(first.nats.url);
  expect(second.postgres).toEqual(first.postgres);
  expect(await publish(second, "x")).toBe(1);
  await second.stop();
  stranger.close();
});

test("a server that is named is used instead of an own one", async () => {
  await using directory = await temporaryDirectory();
  const external = { nats: { url: "nats://example.test:4222", user: "u", password: "p" } };
  await using servers = await startIn(directory.path, external);
  expect(servers.nats).toEqual(external.nats);
  expect((await runningServers(directory.path)).map(({ name }) => name)).toEqual(NAMES.filter((name) => name !== "nats"));
  await servers.stop();
});
