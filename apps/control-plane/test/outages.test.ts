import { RPC_PATH } from "@lamina/api";
import getPort from "get-port";
import { expect, test } from "vitest";
import { connectDatabase, overOutages } from "../src/database/database.ts";
import { fakeBuilder, fakeBuilderOf } from "./support/builder.ts";
import { followOverHttp, httpClient } from "./support/http.ts";
import { testControlPlane, testPlace } from "./support/platform.ts";
import { controlPlaneProcess } from "./support/process.ts";
import { attemptOf, chain, follow, startBuild } from "./support/requests.ts";

test("a build goes on over the death of the control plane, and who follows it sees each event once", async () => {
  await using place = await testPlace();
  const port = await getPort({ host: "127.0.0.1" });
  await using first = await controlPlaneProcess(place, port);
  const url = `http://127.0.0.1:${port}`;
  const client = httpClient(url, place.config.tokens.client);
  const worker = httpClient(url, place.config.tokens.worker);
  await using builder = await fakeBuilderOf(place, {
    claim: (input) => worker.attempts.claim.mutate(input),
    publish: (input) => worker.attempts.publish.mutate(input),
    finish: (input) => worker.attempts.finish.mutate(input),
  });

  const { build } = await client.builds.start.mutate({ definition: chain("one", "two"), sources: [] });
  const following = followOverHttp(client, build);
  const held = await builder.claim(await attemptOf(place, build));
  const layer = held?.claimed.layers[0]?.id ?? "";
  const log = (line: string) => held?.feed.write({ type: "log", at: 0, layer, line });
  await log("before");
  await held?.publish(1);
  await first.kill();
  await log("while nobody is there");
  await using second = await controlPlaneProcess(place, port);
  await log("after");
  await held?.feed.flush();
  await held?.publish(2);
  await held?.finish();

  const events = await following;
  expect(events.flatMap(({ event }) => (event.type === "log" ? [event.line] : []))).toEqual(["before", "while nobody is there", "after"]);
  expect(events.at(-1)?.event.type).toBe("done");
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  expect(await second.terminate()).toBe(0);
});

test("a control plane that is asked to stop does so although somebody follows a build", async () => {
  await using place = await testPlace();
  const port = await getPort({ host: "127.0.0.1" });
  await using controlPlane = await controlPlaneProcess(place, port);
  const url = `http://127.0.0.1:${port}`;
  const { build } = await httpClient(url, place.config.tokens.client).builds.start.mutate({ definition: chain("one"), sources: [] });
  const follow = new URL(`${RPC_PATH}/builds.follow`, url);
  follow.searchParams.set("input", JSON.stringify({ id: build }));
  const { status, body } = await fetch(follow, { headers: { authorization: `Bearer ${place.config.tokens.client}` } });
  expect(status).toBe(200);
  expect(await controlPlane.terminate()).toBe(0);
  await body?.cancel().catch(() => {});
});

test("a database that stays away is said to be so", async () => {
  const database = connectDatabase(`postgres://127.0.0.1:${await getPort({ host: "127.0.0.1" })}/nobody`);
  await expect(overOutages(() => database.$queryRaw`SELECT 1`)).rejects.toMatchObject({ code: "UNREACHABLE" });
});

test("what is asked while Postgres drops its connections is done all the same, and once", async () => {
  await using platform = await testControlPlane();
  await using builder = await fakeBuilder(platform);
  const drop = () =>
    platform.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
  const dropFiveTimes = async (): Promise<void> => {
    for (let times = 0; times < 5; times += 1) await drop();
  };
  const dropMeanwhile = async <T>(work: Promise<T>): Promise<T> => {
    const [result] = await Promise.all([work, dropFiveTimes()]);
    return result;
  };
  const names = Array.from({ length: 8 }, (_, index) => `command ${index}`);
  const builds = await dropMeanwhile(Promise.all(names.map((name) => startBuild(platform, chain(name)))));
  expect(await platform.sql("SELECT id FROM attempt")).toHaveLength(names.length);
  for (const build of builds) {
    const held = await builder.claim(await attemptOf(platform, build));
    await held?.publish(1);
    await dropMeanwhile(held?.finish() ?? Promise.resolve());
    expect((await follow(platform, build)).at(-1)?.event.type).toBe("done");
  }
});
