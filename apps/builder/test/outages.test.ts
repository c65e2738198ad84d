/** Servers of the tests' own are killed in the middle of a build; their supervisor brings them back. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { runningServers, startServers } from "@lamina/servers";
import { Image } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attemptsOf, eventsOfAttempt } from "./feed.ts";
import { build, DEBIAN, platform, type Platform } from "./platform.ts";

let here: Platform;
let directory: string;
const cleanUp = new AsyncDisposableStack();
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lamina-outage-"));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  const cache = process.env["LAMINA_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "lamina");
  const servers = await startServers({ directory, cache });
  cleanUp.defer(() => servers.stop());
  // Longer than any of these outages.
  here = cleanUp.use(await platform({ own: { nats: servers.nats, buildkit: servers.buildkit }, leaseSeconds: 60 }));
});
afterAll(() => cleanUp.disposeAsync());

async function kill(server: string): Promise<void> {
  const running = (await runningServers(directory)).find(({ name }) => name === server);
  if (running === undefined) throw new Error(`${server} does not run`);
  process.kill(running.pid, "SIGKILL");
}

/** A build whose second layer has just said "now" when that is done. */
async function buildThrough(outage: () => Promise<void>) {
  const image = Image.debianSlim(DEBIAN).runCommands(`echo ${randomUUID()} > /mark`).runCommands("echo now", "sleep 2; echo later");
  const outages: Promise<void>[] = [];
  const outcome = await build(here, image, (event) => {
    if (event.type === "log" && event.line === "now" && outages.length === 0) outages.push(outage());
  });
  await Promise.all(outages);
  expect(outages).toHaveLength(1);
  return outcome;
}

describe("a build goes on", () => {
  test("when BuildKit is killed", async () => {
    await using _builder = await here.builder();
    const { error, result } = await buildThrough(() => kill("buildkitd"));
    expect(error).toBeUndefined();
    expect(result?.layers.map(({ status }) => status)).toEqual(["hit", "built", "built"]);
  });

  test("when NATS is killed, and every event is told once", async () => {
    await using _builder = await here.builder();
    const outcome = await buildThrough(() => kill("nats"));
    expect(outcome.error).toBeUndefined();
    const [attempt = ""] = attemptsOf(outcome);
    const lines = (await eventsOfAttempt(here, attempt)).flatMap((event) => (event.type === "log" ? [event.line] : []));
    expect(lines.slice(-3)).toEqual(["now", "[2/2] sleep 2; echo later", "later"]);
  });

  test("when the control plane is killed, in the attempt that was begun", async () => {
    await using _builder = await here.builder();
    const outcome = await buildThrough(() => here.restartControlPlane());
    expect(outcome.error).toBeUndefined();
    const [attempt = "", ...others] = attemptsOf(outcome);
    expect(others).toEqual([]);
    expect((await eventsOfAttempt(here, attempt)).at(-1)).toMatchObject({ type: "attempt-done" });
  });
});
