/** One layer is made once at a time, for as long as somebody wants it. */
import { randomInt, randomUUID } from "node:crypto";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { processes, type TestPlatform, testPlatform, tinyBase } from "@lamina/testkit";
import { type Client, connect, Image } from "lamina";
import { Client as Database } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { begin, build, type Outcome } from "./site.ts";
import { attemptsIn, expectToldOnce } from "./told-once.ts";

let platform: TestPlatform;
let base: string;
beforeAll(async () => {
  base = await tinyBase();
  platform = await testPlatform({ uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "", runner: false });
});
afterAll(() => platform?.[Symbol.asyncDispose]());

const newClient = (): Promise<Client> => connect({ url: platform.url, token: platform.clientToken });
const newImage = (): Image => Image.fromRegistry(base).runCommands(`echo ${randomUUID()}; echo begun; sleep 1; echo made`);

function lines({ events }: Outcome): string[] {
  return events.flatMap((event) => (event.type === "log" ? [event.line] : []));
}

async function attemptsOf(...outcomes: readonly Outcome[]): Promise<{ id: string; state: string }[]> {
  const ids = outcomes.flatMap(({ events }) => attemptsIn(events));
  const database = new Database({ connectionString: platform.databaseUrl });
  await database.connect();
  try {
    return (await database.query<{ id: string; state: string }>("SELECT id, state FROM attempt WHERE id = ANY($1)", [ids])).rows;
  } finally {
    await database.end();
  }
}

test("two clients that ask for the same new image share one attempt, and hear the same lines", async () => {
  const image = newImage();
  const [first, late] = [await begin(await newClient(), image), await begin(await newClient(), image)];
  const outcomes = await Promise.all([first.outcome, late.outcome]);
  const [one, other] = outcomes;
  expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined]);
  expect(one.result?.ref).toBe(other.result?.ref);
  expect(lines(one)).toContain("made");
  expect(lines(other)).toEqual(lines(one));
  await expect.poll(() => attemptsOf(...outcomes)).toEqual([{ id: attemptsIn(one.events)[0], state: "done" }]);
  await expectToldOnce(platform.databaseUrl, other.events);
});

test("a build that is cancelled leaves the one that shares its attempt running", async () => {
  const image = newImage();
  const [left, going] = [await begin(await newClient(), image), await begin(await newClient(), image)];
  left.abort();
  const outcomes = [await left.outcome, await going.outcome];
  expect(outcomes.map(({ error }) => error?.code)).toEqual(["CANCELLED", undefined]);
  await expect.poll(() => attemptsOf(...outcomes)).toMatchObject([{ state: "done" }]);
});

test("when all that share an attempt are cancelled, its work ends within two seconds", async () => {
  const sleep = `sleep 300.${randomInt(1e9)}`;
  const isRunning = async () => (await processes()).some(({ command }) => command === sleep);
  const image = Image.fromRegistry(base).runCommands(`echo begun; ${sleep}`);
  const both = [await begin(await newClient(), image), await begin(await newClient(), image)];
  await expect.poll(isRunning).toBe(true);
  both.forEach(({ abort }) => abort());
  await expect.poll(isRunning, { timeout: 2_000, interval: 50 }).toBe(false);
  const outcomes = await Promise.all(both.map(({ outcome }) => outcome));
  expect(outcomes.map(({ error }) => error?.code)).toEqual(["CANCELLED", "CANCELLED"]);
  expect(await attemptsOf(...outcomes)).toMatchObject([{ state: "cancelled" }]);
  const next = await build({ client: await newClient(), image: newImage() });
  expect(next.error).toBeUndefined();
});

test("twenty clients that ask for one image at once cause one attempt, and all get it", async () => {
  const image = newImage();
  const clients = await Promise.all(Array.from({ length: 20 }, newClient));
  const outcomes = await Promise.all(clients.map((client) => build({ client, image })));
  expect(new Set(outcomes.map(({ result }) => result?.ref)).size).toBe(1);
  expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
  await expect.poll(() => attemptsOf(...outcomes)).toMatchObject([{ state: "done" }]);
  for (const { events } of outcomes) await expectToldOnce(platform.databaseUrl, events);
});
