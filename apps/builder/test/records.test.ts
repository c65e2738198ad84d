/** A BuildKit that keeps records of solves, as one does that is not of the embedded default. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runningServers } from "@lamina/servers";
import { ownServers, tinyBase } from "@lamina/testkit";
import { execa } from "execa";
import { Image, Secret } from "lamina";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build, platform, type Platform } from "./platform.ts";

let here: Platform;
let base: string;
const cleanUp = new AsyncDisposableStack();
beforeAll(async () => {
  const back = Promise.withResolvers<void>();
  const report = (line: string): void => {
    if (line === "buildkitd is back") back.resolve();
  };
  const servers = cleanUp.use(await ownServers({ report }));
  const configuration = join(servers.directory, "buildkit", "buildkitd.toml");
  await writeFile(configuration, (await readFile(configuration, "utf8")).replace("maxEntries = 0", ""));
  process.kill((await runningServers(servers.directory)).find(({ name }) => name === "buildkitd")?.pid ?? 0, "SIGKILL");
  await back.promise;
  base = await tinyBase();
  here = cleanUp.use(await platform({ own: { buildkit: servers.buildkit } }));
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
