/** A BuildKit that keeps records of solves, as one does that is not of the embedded default. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { runningServers, startServers } from "@lamina/servers";
import { tinyBase } from "@lamina/testkit";
import { execa } from "execa";
import { Image, Secret } from "lamina";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build, platform, type Platform } from "./platform.ts";

let here: Platform;
let base: string;
const cleanUp = new AsyncDisposableStack();
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "lamina-records-"));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  const cache = process.env["LAMINA_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "lamina");
  const back = Promise.withResolvers<void>();
  const report = (line: string): void => {
    if (line === "buildkitd is back") back.resolve();
  };
  const servers = await startServers({ directory, cache, report });
  cleanUp.defer(() => servers.stop());
  const configuration = join(directory, "buildkit", "buildkitd.toml");
  await writeFile(configuration, (await readFile(configuration, "utf8")).replace("maxEntries = 0", ""));
  process.kill((await runningServers(directory)).find(({ name }) => name === "buildkitd")?.pid ?? 0, "SIGKILL");
  await back.promise;
  base = await tinyBase();
  here = cleanUp.use(await platform({ buildkit: servers.buildkit }));
});
afterAll(() => cleanUp.disposeAsync());

/** The targets of the solves of which there are records, those that go on included. */
async function records(): Promise<string> {
  const { binaries, buildkit } = here.servers;
  return (await execa(join(binaries, "buildctl"), ["--addr", buildkit.address, "debug", "histories", "--format", "{{json .}}"])).stdout;
}

const secrets = [Secret.fromDict({ TOKEN: "the-value-of-the-token" })];
const telling = (then: string): Image =>
  Image.fromRegistry(base).runCommands(`echo ${randomUUID()}; echo "it is $TOKEN"; echo begun; ${then}`, { secrets });

test("of a solve with secrets it keeps none, of one without it does", async () => {
  await using _builder = await here.builder();
  const plain = Image.fromRegistry(base).runCommands(`echo ${randomUUID()}`);
  for (const image of [telling("true"), plain]) expect((await build(here, image)).error).toBeUndefined();
  expect((await build(here, telling("exit 1"))).error).toBeDefined();
  const left = await records();
  expect(left).toContain("FrontendAttrs");
  expect(left).not.toContain("lamina.secrets-of");
});

test("what a builder that was killed has left is deleted by the next in its place", async () => {
  await using killed = await here.builderProcess({ LAMINA_WORKER_NAME: "one" });
  const begun = Promise.withResolvers<string>();
  let id = "";
  const outcome = build(here, telling("sleep 300"), (event) => {
    if (event.type === "build") id = event.build;
    if (event.type === "log" && event.line === "begun") begun.resolve(event.line);
  });
  await begun.promise;
  const ended = once(killed.process, "exit");
  killed.process.kill("SIGKILL");
  await ended;
  await here.client.builds.cancel(id);
  await outcome;
  expect(await records()).toContain("lamina.secrets-of");
  await using _next = await here.builder({ LAMINA_WORKER_NAME: "one" });
  await expect.poll(records, { timeout: 10_000 }).not.toContain("lamina.secrets-of");
});
