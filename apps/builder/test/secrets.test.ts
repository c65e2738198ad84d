import { randomBytes, randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { catalogue } from "@lamina/api";
import { connectNats } from "@lamina/service";
import { jetstreamManager } from "@nats-io/jetstream";
import { execa } from "execa";
import { Client as Postgres } from "pg";
import { Image, Secret } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attemptsOf, eventsOfAttempt, publishedIn } from "./feed.ts";
import { blobsOf, bytesOf, configOf } from "./image.ts";
import { build, DEBIAN, platform, type Platform } from "./platform.ts";

let here: Platform;
beforeAll(async () => void (here = await platform()));
afterAll(() => here[Symbol.asyncDispose]());

/** What every process that runs now shows of itself. */
async function processes(): Promise<string> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const shown = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""));
  return (await Promise.all(shown)).join("\n");
}

/** The environments of the builder and of what it has started. */
async function environments(pid: number | undefined): Promise<string> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ");
  const read = [String(pid), ...children].map((child) => readFile(`/proc/${child}/environ`, "utf8"));
  return (await Promise.all(read)).join("\n");
}

async function filesBelow(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), "latin1"));
  return (await Promise.all(files)).join("\n");
}

async function messagesInNats({ servers, namespace }: Platform): Promise<string> {
  const connection = await connectNats({ ...servers.nats, name: "test" });
  try {
    const manager = await jetstreamManager(connection);
    const { stream } = catalogue(namespace).events;
    const { state } = await manager.streams.info(stream);
    const sequences = Array.from({ length: state.messages }, (_, index) => state.first_seq + index);
    const messages = await Promise.all(sequences.map((seq) => manager.streams.getMessage(stream, { seq })));
    return messages.map((message) => message?.string() ?? "").join("\n");
  } finally {
    await connection.close();
  }
}

async function everyRow(url: string): Promise<string> {
  const database = new Postgres({ connectionString: url });
  await database.connect();
  try {
    const { rows } = await database.query<{ name: string }>("select tablename as name from pg_tables where schemaname = 'public'");
    const contents = [];
    for (const { name } of rows) contents.push(JSON.stringify((await database.query(`select t::text from "${name}" t`)).rows));
    return contents.join("\n");
  } finally {
    await database.end();
  }
}

/** Whether a file of BuildKit's own, cached layers aside, has the text. */
async function buildkitHolds(address: string, text: string): Promise<boolean> {
  const root = join(dirname(address.replace("unix://", "")), "root");
  const { exitCode } = await execa("grep", ["-rqF", "--exclude-dir=snapshots", text, root], { reject: false });
  return exitCode === 0;
}

describe("the values of secrets", () => {
  test("reach the step that asks for them, and nothing else that can be looked at", async () => {
    const value = `s3cr3t-${randomBytes(12).toString("hex")} "quoted" $x`;
    const secrets = [Secret.fromDict({ TOKEN: value, SECOND: "line-one-of-two\nline-two-of-two" })];
    await using builder = await here.builderProcess();
    const shown: Promise<string>[] = [];
    const image = Image.debianSlim(DEBIAN)
      .env({ NEVER_CACHED: randomUUID() })
      .runCommands('printf %s "$TOKEN" | sha256sum > /digest', { secrets })
      .runCommands('echo "the token is $TOKEN"', 'printf "%s" "$TOKEN" | cut -c1-9 | tr -d "\\n"; sleep 0.2; echo "$SECOND"', "sleep 1", {
        secrets,
      });
    const outcome = await build(here, image, (event) => {
      if (event.type !== "log" || !event.line.startsWith("the token is")) return;
      shown.push(processes(), environments(builder.process.pid), filesBelow(builder.state));
    });
    expect(outcome.error).toBeUndefined();
    const [attempt = ""] = attemptsOf(outcome);
    const events = await eventsOfAttempt(here, attempt);
    const lines = events.flatMap((event) => (event.type === "log" ? [event.line] : []));
    expect(lines).toContain("the token is ***");
    expect(shown).toHaveLength(3);
    const digests = new Set<string>();
    for (const { digest } of publishedIn(events)) {
      digests.add(await configOf(here.images, digest));
      for (const blob of (await blobsOf(here.images, digest)).slice(1)) digests.add(blob.digest);
    }
    const places = {
      "processes and files while it runs": (await Promise.all(shown)).join("\n"),
      events: JSON.stringify([outcome.events, events]),
      "the builder's log": builder.log(),
      "the images": (await Promise.all([...digests].map((digest) => bytesOf(here.images, digest)))).join("\n"),
      NATS: await messagesInNats(here),
      Postgres: await everyRow(here.databaseUrl),
    };
    // BuildKit collects what it deletes a moment later.
    await expect.poll(() => buildkitHolds(here.servers.buildkit.address, value.slice(0, 30)), { timeout: 10_000 }).toBe(false);
    for (const [place, text] of Object.entries(places)) {
      for (const part of [value.slice(0, 30), "line-one-of-two", "line-two-of-two"])
        expect(text.includes(part), `${part} in ${place}`).toBe(false);
      expect(text.length).toBeGreaterThan(0);
    }
  });

  test("are taken out of errors", async () => {
    await using _builder = await here.builder();
    const secrets = [Secret.fromDict({ TOKEN: "very-secret-value" })];
    const { error } = await build(here, Image.debianSlim(DEBIAN).runCommands('echo "with $TOKEN"', "echo $TOKEN; exit 3", { secrets }));
    expect(error?.info).toMatchObject({ code: "STEP_FAILED", exitCode: 3, command: "echo $TOKEN; exit 3" });
    expect(error?.info.lastLines).toContain("with ***");
    expect(JSON.stringify(error?.info)).not.toContain("very-secret-value");
  });
});
