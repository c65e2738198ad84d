import { randomUUID } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gate } from "@lamina/testkit";
import { Image } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attemptsOf, eventsOfAttempt, publishedIn } from "./feed.ts";
import { annotationsOf, blobsOf, lastLayer } from "./image.ts";
import { build, DEBIAN, type Outcome, platform, type Platform } from "./platform.ts";

let here: Platform;
beforeAll(async () => void (here = await platform()));
afterAll(() => here[Symbol.asyncDispose]());

/** The events of the only attempt of a build, to its end. */
async function onlyAttempt(outcome: Outcome) {
  const [attempt, ...others] = attemptsOf(outcome);
  if (attempt === undefined || others.length > 0) throw new Error("one attempt was expected");
  return eventsOfAttempt(here, attempt);
}

async function tagsFor(layers: readonly string[]): Promise<string[]> {
  const tags: string[] = [];
  for await (const tag of here.images.tags()) if (layers.some((layer) => tag.startsWith(`${layer}-`))) tags.push(tag);
  return tags;
}

describe("a builder", () => {
  test("makes a chain and publishes, annotates and tags every layer", async () => {
    await using _builder = await here.builder();
    const image = Image.debianSlim(DEBIAN).env({ A: "1" }).runCommands("echo hello $A > /hello").workdir("/app").runCommands("pwd > where");
    const outcome = await build(here, image);
    const { result } = outcome;
    expect(outcome.error).toBeUndefined();
    const events = await onlyAttempt(outcome);
    const made = result?.layers.slice(1).map(({ id }) => id) ?? [];
    const published = publishedIn(events);
    expect(published.map(({ layer }) => layer).toSorted()).toEqual(made.toSorted());
    expect(published.at(0)).toMatchObject({ layer: result?.id, digest: result?.digest });

    const files = await lastLayer(here.images, result?.digest ?? "");
    expect(files.get("app/where")?.content).toBe("/app\n");

    let blobsBelow = 1;
    let recordBelow: string | undefined;
    for (const layer of made) {
      const image = published.find((event) => event.layer === layer);
      if (image === undefined) throw new Error(`${layer} was not published`);
      const blobs = await blobsOf(here.images, image.digest);
      expect(image.bytes).toBe(blobs.slice(blobsBelow).reduce((sum, { size }) => sum + size, 0));
      blobsBelow = blobs.length;
      const annotations = await annotationsOf(here.images, image.digest);
      expect(annotations).toMatchObject({ "dev.lamina.layer": layer, "dev.lamina.builder-version": "2026.11" });
      expect(annotations["dev.lamina.parent-record"]).toBe(recordBelow);
      recordBelow = annotations["dev.lamina.record"];
      await expect.poll(() => tagsFor([layer])).toEqual([`${layer}-${recordBelow}`]);
    }
  });

  test("tells what happens to each layer, in order and without gaps", async () => {
    await using _builder = await here.builder();
    const outcome = await build(
      here,
      Image.debianSlim(DEBIAN).env({ NEVER_CACHED: randomUUID() }).runCommands("echo one; echo two", "printf 'no newline'"),
    );
    const [first, second] = outcome.result?.layers.slice(1).map(({ id }) => id) ?? [];
    const events = await onlyAttempt(outcome);
    const told = events.map((event) => ("layer" in event ? [event.type, event.layer === first ? 1 : 2] : [event.type]));
    expect(told.filter(([type]) => type !== "log" && type !== "progress" && type !== "layer-published")).toEqual([
      ["attempt-started"],
      ["layer-started", 1],
      ["layer-built", 1],
      ["layer-started", 2],
      ["layer-built", 2],
      ["attempt-done"],
    ]);
    const lines = events.flatMap((event) => (event.type === "log" && event.layer === second ? [event.line] : []));
    expect(lines).toEqual(["[1/2] echo one; echo two", "one", "two", "[2/2] printf 'no newline'", "no newline"]);
  });

  test("keeps the layers before one that fails, and says what failed", async () => {
    await using builder = await here.builder();
    const image = Image.debianSlim(DEBIAN)
      .runCommands(`echo ${randomUUID()} > /1`)
      .runCommands("echo 2 > /2")
      .env({ C: "1" })
      .runCommands("echo 4 > /4")
      .runCommands("seq 1 30", "echo it breaks; exit 7", "echo never");
    const outcome = await build(here, image);
    expect(outcome.error).toMatchObject({ code: "STEP_FAILED" });
    const events = await onlyAttempt(outcome);
    expect(events.at(-1)).toMatchObject({ type: "attempt-failed" });
    expect(publishedIn(events)).toHaveLength(4);
    expect(outcome.error?.info).toMatchObject({
      message: "runCommands failed: `echo it breaks; exit 7` exited with 7.",
      command: "echo it breaks; exit 7",
      exitCode: 7,
    });
    expect(outcome.error?.info.source?.file).toContain("build.test.ts");
    expect(outcome.error?.info.lastLines).toHaveLength(20);
    expect(outcome.error?.info.lastLines?.slice(-3)).toEqual(["30", "[2/3] echo it breaks; exit 7", "it breaks"]);
    const again = await build(here, image);
    expect(again.events.find(({ type }) => type === "attempt")).toMatchObject({ layers: [outcome.error?.info.layer] });
    await expect.poll(() => readdir(join(builder.state, "attempts"))).toEqual([]);
  });

  test("publishes what is done while a long step goes on", async () => {
    await using _builder = await here.builder();
    await using step = await gate();
    const image = Image.debianSlim(DEBIAN).runCommands(`echo ${randomUUID()} > /quick`).runCommands(step.wait);
    const outcome = await build(here, image, ({ type }) => {
      if (type === "layer-published") step.open();
    });
    const [quick, slow] = outcome.result?.layers.slice(1).map(({ id }) => id) ?? [];
    const events = await onlyAttempt(outcome);
    const at = (type: string, layer: string | undefined) =>
      events.findIndex((event) => event.type === type && "layer" in event && event.layer === layer);
    expect(at("layer-published", quick)).toBeLessThan(at("layer-built", slow));
    expect(at("layer-published", quick)).toBeGreaterThan(at("layer-started", slow));
  });

  test("makes a forced layer and those after it anew, and nothing before it", async () => {
    await using _builder = await here.builder();
    const random = "head -c 16 /dev/urandom | od -x > ";
    const chain = (forceBuild: boolean) =>
      Image.debianSlim(DEBIAN).runCommands(`${random}/1`).runCommands(`${random}/2`, { forceBuild }).runCommands(`${random}/3`);
    const first = await build(here, chain(false));
    await onlyAttempt(first);
    const forced = await build(here, chain(true));
    const events = await onlyAttempt(forced);
    const ids = first.result?.layers.map(({ id }) => id) ?? [];
    expect(forced.result?.layers.map(({ id }) => id)).toEqual(ids);
    expect(forced.result?.layers.map(({ status }) => status)).toEqual(["hit", "hit", "built", "built"]);
    expect(publishedIn(events).map(({ layer }) => layer)).toEqual([ids[3], ids[2]]);

    const [before, after] = [
      await blobsOf(here.images, first.result?.digest ?? ""),
      await blobsOf(here.images, forced.result?.digest ?? ""),
    ];
    const same = before.map(({ digest }, index) => digest === after[index]?.digest);
    expect(same).toEqual([true, true, false, false]);
    const inner = publishedIn(events).find(({ layer }) => layer === ids[2])?.digest ?? "";
    expect((await blobsOf(here.images, inner)).map(({ digest }) => digest)).toEqual(after.slice(0, 3).map(({ digest }) => digest));
    const third = await build(here, chain(false));
    expect(third.result?.digest).toBe(forced.result?.digest);
  });

  test("copies local files exactly", async () => {
    await using _builder = await here.builder();
    const local = join(here.directory, "files");
    await mkdir(join(local, "sub"), { recursive: true });
    await writeFile(join(local, "sub", "a file"), "one\n", { mode: 0o640 });
    await writeFile(join(local, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
    const outcome = await build(
      here,
      Image.debianSlim(DEBIAN).copyLocalDir(local, "/app").copyLocalFile(join(local, "run.sh"), "/usr/bin/run"),
    );
    expect(outcome.error).toBeUndefined();
    const events = await onlyAttempt(outcome);
    const digest = (place: number) => publishedIn(events).find(({ layer }) => layer === outcome.result?.layers[place]?.id)?.digest ?? "";
    const directory = await lastLayer(here.images, digest(1));
    expect(directory.get("app/sub/a file")).toMatchObject({ content: "one\n", mode: 0o640 });
    expect(directory.get("app/run.sh")).toMatchObject({ mode: 0o755 });
    expect((await lastLayer(here.images, digest(2))).get("usr/bin/run")).toMatchObject({ content: "#!/bin/sh\n", mode: 0o755 });
  });

  test("installs a package by uv, with the pinned version", async () => {
    await using _builder = await here.builder();
    const project = join(here.directory, "project");
    await mkdir(project);
    await writeFile(
      join(project, "setup.py"),
      "from setuptools import setup\nsetup(name='greeting', version='1.0', py_modules=['greeting'])\n",
    );
    await writeFile(join(project, "greeting.py"), "print('hello from a package')\n");
    const outcome = await build(
      here,
      Image.debianSlim(DEBIAN)
        .copyLocalDir(project, "/project")
        .pipInstall("--no-build-isolation", "/project")
        .runCommands("python -m greeting > /said"),
    );
    expect(outcome.error?.info.lastLines).toBeUndefined();
    expect((await lastLayer(here.images, outcome.result?.digest ?? "")).get("said")?.content).toBe("hello from a package\n");
  });
});
