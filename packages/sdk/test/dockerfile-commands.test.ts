/** Instructions of a Dockerfile, from the call to the image. */
import { mkdir, symlink } from "node:fs/promises";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { serve, type TestPlatform, testPlatform, tinyBase } from "@lamina/testkit";
import { buildImage, type Client, connect, type ErrorReason, Image, imageState, LaminaError, planImage, Secret } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { snapshotOf } from "../src/snapshot.ts";
import { lookInside } from "./support/look-inside.ts";
import { thrownBy } from "./support/thrown-by.ts";
import { workspace } from "./support/workspace.ts";

const image = Image.debianSlim();
const token = Secret.fromDict({ TOKEN: "t0ken-that-must-not-stay" });

test("each call is one step, and the setup of a base is the first", () => {
  const steps = Image.fromRegistry("debian:13", { setupDockerfileCommands: ["RUN a", "RUN b"] }).dockerfileCommands(["RUN c"], {
    secrets: [token],
    gpu: "T4",
    forceBuild: true,
  });
  const { base, steps: operations, sources, forcedFrom } = imageState(steps);
  expect(base).toEqual({ kind: "fromRegistry", reference: "debian:13" });
  expect(operations).toEqual([
    { kind: "dockerfileCommands", commands: ["RUN a", "RUN b"] },
    { kind: "dockerfileCommands", commands: ["RUN c"], gpu: "T4", secrets: [{ kind: "inline", variables: ["TOKEN"] }] },
  ]);
  expect(sources[1]).toEqual(sources[0]);
  expect(forcedFrom).toBe(2);
});

describe("what cannot be right is an error at the call, before anything is read", () => {
  const given: readonly unknown[] = ["RUN x"];
  const unchecked = (...args: readonly unknown[]): unknown => Reflect.apply(Reflect.get(image, "dockerfileCommands"), image, args);
  test.each<[what: string, reason: ErrorReason, call: () => unknown, message: RegExp]>([
    [
      "a text in place of a list",
      "invalid-argument",
      () => unchecked("RUN x"),
      /^dockerfileCommands: the instructions: must be a list of strings/,
    ],
    ["no instruction", "empty-arguments", () => unchecked([]), /^dockerfileCommands: the instructions: must not be empty/],
    ["an empty one", "empty-arguments", () => unchecked([...given, " "]), /^dockerfileCommands: the instructions: 2: is empty/],
    ["an option that there is not", "unknown-option", () => unchecked(given, { context: "." }), /^dockerfileCommands: .*context/],
    ["files that are no object", "invalid-argument", () => unchecked(given, { contextFiles: ["a"] }), /contextFiles: must be an object/],
    [
      "a place outside the context",
      "invalid-context-path",
      () => unchecked(given, { contextFiles: { "../a": "a" } }),
      /contextFiles: "\.\.\/a" is no path in the context/,
    ],
    [
      "an absolute place",
      "invalid-context-path",
      () => unchecked(given, { contextFiles: { "/a": "a" } }),
      /contextFiles: "\/a" is no path in the context/,
    ],
    [
      "a place that no layer holds",
      "invalid-context-path",
      () => unchecked(given, { contextFiles: { "a/.wh.b": "a" } }),
      /begins with \.wh\./,
    ],
    [
      "FROM",
      "from-instruction",
      () => image.dockerfileCommands(["RUN x\n\nFROM y"]),
      /^dockerfileCommands: command 1, line 3: FROM begins another image/,
    ],
    ["a local ADD", "local-add", () => image.dockerfileCommands(["ADD a /b"]), /^dockerfileCommands: command 1: ADD takes URLs/],
    [
      "an unknown instruction",
      "unknown-instruction",
      () => image.dockerfileCommands(["RUN x", "APT git"]),
      /^dockerfileCommands: command 2: "APT" is no instruction/,
    ],
    [
      "an open heredoc",
      "open-heredoc",
      () => image.dockerfileCommands(["RUN <<EOF\nx"]),
      /^dockerfileCommands: command 1, line 1: the heredoc <<EOF is open/,
    ],
    [
      "a backslash at the end",
      "open-instruction",
      () => image.dockerfileCommands(["RUN x \\"]),
      /^dockerfileCommands: command 1: a backslash at the end/,
    ],
    [
      "COPY without files",
      "missing-source",
      () => image.dockerfileCommands(["COPY a /b"]),
      /^dockerfileCommands: command 1: COPY takes local files, and there are none/,
    ],
    [
      "a secret outside RUN",
      "misplaced-secret",
      () => image.dockerfileCommands(["ENV A=$TOKEN"], { secrets: [token] }),
      /ENV names \$TOKEN, a secret/,
    ],
    [
      "FROM in the setup of a base",
      "from-instruction",
      () => Image.fromRegistry("debian:13", { setupDockerfileCommands: ["FROM y"] }),
      /^fromRegistry: setupDockerfileCommands: command 1: FROM begins another image/,
    ],
    [
      "no setup",
      "empty-arguments",
      () => Image.fromRegistry("debian:13", { setupDockerfileCommands: [] }),
      /^fromRegistry: setupDockerfileCommands: must not be empty/,
    ],
    [
      "a password of the base in its setup",
      "secret-value-in-step",
      () => {
        const secret = Secret.fromDict({ REGISTRY_USERNAME: "robot-of-ci", REGISTRY_PASSWORD: "of-the-registry" });
        const setup = (command: string) => Image.fromRegistry("debian:13", { secret, setupDockerfileCommands: ["RUN a", command] });
        setup("RUN useradd robot-of-ci");
        setup("RUN curl -u me:of-the-registry https://files.example");
      },
      /^fromRegistry: the value of the secret REGISTRY_PASSWORD is in what is to be built, where it would stay: the setup has no secrets/,
    ],
    [
      "commands after a SHELL that is none",
      "unsuitable-shell",
      () => image.dockerfileCommands(['SHELL ["python3", "-c"]']).runCommands("true"),
      /^runCommands: an earlier SHELL is \["python3","-c"\]/,
    ],
  ])("%s", (...[, reason, call, message]) => {
    const error = thrownBy(call);
    expect(error).toMatchObject({ code: "INVALID_INPUT", reason, info: { source: { file: import.meta.filename } } });
    expect(error).toHaveProperty("message", expect.stringMatching(message));
  });
});

describe("files of the context", () => {
  const files = { "a.txt": "a", "src/main.py": "m", "src/lib/x.py": "x", "src/lib/[odd] name": "o" };

  test.each([
    ["COPY nothing /", 'COPY takes "nothing", and there is no "nothing" in the context: name it in contextFiles'],
    ["COPY code/main.py code/mai? /x/", 'COPY takes "code/mai?", and there is nothing that matches "code/mai?" in the context'],
    ["RUN --mount=source=code/li,target=/x true", 'RUN takes "code/li", and there is no "code/li" in the context'],
    ["COPY code/lib/[a-n]* /x", 'COPY takes "code/lib/[a-n]*", and there is nothing that matches'],
    ["COPY code/lib/*/x.py /x", 'COPY takes "code/lib/*/x.py", and there is nothing that matches'],
  ])("%s is refused when they are read, with the place of the call", async (instruction, message) => {
    await using place = await workspace();
    await place.write(files);
    const copying = image.dockerfileCommands(["RUN x", instruction], {
      contextFiles: { "a.txt": place.path("a.txt"), code: place.path("src") },
    });
    await expect(snapshotOf(imageState(copying))).rejects.toMatchObject({
      code: "INVALID_INPUT",
      reason: "missing-source",
      message: expect.stringContaining(`dockerfileCommands: command 2: ${message}`),
      info: { source: { file: import.meta.filename } },
    });
  });

  test("several that match go into a directory", async () => {
    await using place = await workspace();
    await place.write({ "src/a.py": "a", "src/b.py": "b" });
    const copying = (instruction: string) => image.dockerfileCommands([instruction], { contextFiles: { ".": place.path("src") } });
    await expect(snapshotOf(imageState(copying("COPY *.py /x")))).rejects.toMatchObject({
      code: "INVALID_INPUT",
      reason: "invalid-instruction",
      message:
        'dockerfileCommands: command 1: COPY takes "*.py", and that matches 2 files, so that the destination has to be a directory, and end with "/"',
      info: { source: { file: import.meta.filename } },
    });
    await expect(snapshotOf(imageState(copying("COPY *.py /x/\nCOPY a* /y")))).resolves.toBeDefined();
  });

  test.each<[source: string, reason: ErrorReason, message: string]>([
    [
      "d/out",
      "escaping-source",
      '"d/out" is a link to "../../secret", which leads out of the context: name in contextFiles what it leads to',
    ],
    ["d/root", "escaping-source", '"d/root" is a link to "/etc/passwd", which leads out of the context'],
    ["d/by/x.py", "escaping-source", '"d/out" is a link to "../../secret", which leads out'],
    ["d/gone", "missing-source", '"d/gone" is a link to "nothing", which leads to nothing in the context'],
    ["d/one", "link-cycle", 'is a link to "two", which leads to itself'],
    ["d/o*t", "escaping-source", '"d/out" is a link to "../../secret", which leads out'],
  ])("that are links which lead nowhere are refused when they are read: %s", async (source, reason, message) => {
    await using place = await workspace();
    await place.write({ "src/a": "a", secret: "outside" });
    const targets = { out: "../../secret", root: "/etc/passwd", by: "out", gone: "nothing", one: "two", two: "one" };
    for (const [name, target] of Object.entries(targets)) await symlink(target, place.path(`src/${name}`));
    const copying = image.dockerfileCommands(["COPY d /x\nCOPY d/a /x/", `COPY ${source} /y`], { contextFiles: { d: place.path("src") } });
    await expect(snapshotOf(imageState(copying))).rejects.toMatchObject({
      code: "INVALID_INPUT",
      reason,
      message: expect.stringMatching(/^dockerfileCommands: command 2: COPY takes "d\/.*", and "d\//),
      info: { source: { file: import.meta.filename } },
    });
    await expect(snapshotOf(imageState(copying))).rejects.toThrow(message);
  });

  test("are found by name, by pattern, as directories, through links and variables", async () => {
    await using place = await workspace();
    await place.write(files);
    await mkdir(place.path("src/empty"));
    await symlink("lib", place.path("src/link"));
    await symlink("../code/link/../main.py", place.path("src/around"));
    const commands = [
      "COPY . ./a.txt /code/lib/ code/*.py code/lib/[m-z].py code/[^a-k]ib code/empty /x/",
      "ARG WHERE=code/main.py\nCOPY code/link/x.py code/around $WHERE code/*/x.py /x/\nCOPY --parents code/./lib/** /x/",
      'COPY ["code/lib/[[]odd] name", "/x/"]\nRUN --mount=source=code/lib,target=/x --mount=target=/y true',
    ];
    const copying = image.dockerfileCommands(commands, {
      contextFiles: { ".": place.path("src"), "a.txt": place.path("a.txt"), code: place.path("src") },
    });
    const { definition, trees } = await snapshotOf(imageState(copying));
    const [tree] = trees.values();
    expect(definition.steps).toEqual([{ kind: "dockerfileCommands", commands, tree: tree?.digest }]);
    expect(tree?.entries.map(({ path }) => path)).toContain("code/lib/[odd] name");
  });

  test("that a variable names are looked for by its value", async () => {
    await using place = await workspace();
    await place.write({ a: "a" });
    const copying = image
      .env({ NAME: "gone" })
      .dockerfileCommands(["ARG NAME=gone\nCOPY $NAME /b"], { contextFiles: { a: place.path("a") } });
    await expect(snapshotOf(imageState(copying))).rejects.toMatchObject({
      reason: "missing-source",
      message: expect.stringMatching(/command 1, line 2: COPY takes "\$NAME", and there is no "gone" in the context/),
      info: { source: { file: import.meta.filename } },
    });
  });

  test("that cannot be had are named with the place of the call", async () => {
    await using place = await workspace();
    const copying = image.dockerfileCommands(["COPY a /b"], { contextFiles: { a: place.path("nothing") } });
    await expect(snapshotOf(imageState(copying))).rejects.toMatchObject({
      code: "INVALID_INPUT",
      reason: "missing-file",
      message: expect.stringContaining("nothing"),
      info: { source: { file: import.meta.filename } },
    });
  });
});

describe("on a platform", () => {
  let platform: TestPlatform;
  let client: Client;
  let tiny: string;
  beforeAll(async () => {
    tiny = await tinyBase();
    platform = await testPlatform({ uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "" });
    client = await connect({ url: platform.url, token: platform.clientToken });
  });
  afterAll(() => platform?.[Symbol.asyncDispose]());

  test("files get into the image, and what was set holds for steps that are built later", { timeout: 60_000 }, async () => {
    await using place = await workspace();
    await place.write({ "src/a": "a", "src/b": "b", "src/[x]": "odd" });
    const first = Image.fromRegistry(tiny, {
      setupDockerfileCommands: ["RUN echo set up > /setup\nARG WHAT='a b' NOT"],
    }).dockerfileCommands(
      ["COPY code/[ab] /code/\nCOPY code/[[]x] /odd\nARG WHAT=$WHAT-c", "USER 12:34", 'SHELL ["/bin/sh", "-f", "-c"]'],
      {
        contextFiles: { code: place.path("src") },
      },
    );
    const one = await buildImage(client, first);
    expect(one.layers.map(({ operation }) => operation)).toEqual(["fromRegistry", "dockerfileCommands", "dockerfileCommands"]);
    // Its segment starts from the image of the one before.
    const two = await buildImage(
      client,
      first.runCommands(
        'echo "$WHAT|${NOT-unset}|$(id -u)|$-" > /dev/shm/seen && cat /dev/shm/seen && ! cat /code/*',
        "test $- = f || true",
      ),
    );
    expect(two.layers.map(({ status }) => status)).toEqual(["hit", "hit", "hit", "built"]);
    expect(await lookInside(client, two, "cat", "/setup", "/code/a", "/code/b", "/odd")).toBe("set up\nabodd");
    const three = await buildImage(client, first.dockerfileCommands(["USER 0", 'RUN echo "$WHAT" > /seen']));
    expect(await lookInside(client, three, "cat", "/seen")).toBe("a b-c");
    await place.write({ "src/b": "changed" });
    const changed = await planImage(client, first);
    expect(changed.layers.map(({ status }) => status)).toEqual(["hit", "hit", "missing"]);
  });

  test("an instruction that fails is named, with its place and that of the call", { timeout: 60_000 }, async () => {
    const many = Array.from({ length: 9 }, (_, index) => `WORKDIR /w${index}`).join("\n");
    const failing: [commands: string[], message: RegExp][] = [
      [
        [many, "USER 1\nRUN cat /nothing \\\n  /nowhere"],
        /^dockerfileCommands: command 2, line 2: RUN failed: `RUN cat \/nothing \/nowhere` exited with 1\.$/,
      ],
      [["WORKDIR /x", 'RUN ["/bin/sh", "-c", "exit 9"]'], /command 2: RUN failed: `RUN \["\/bin\/sh", "-c", "exit 9"\]` exited with 9\.$/],
      [["RUN <<EOF\n#!/bin/sh\nexit 8\nEOF"], /command 1, line 1: RUN failed: `RUN <<EOF #!\/bin\/sh exit 8 EOF` exited with 8\.$/],
      [["USER nobody-here", "RUN true"], /command 2: RUN failed: its user is not one of the image/],
      [["ADD http://127.0.0.1:1/x /x"], /command 1: ADD failed: `ADD http:\/\/127\.0\.0\.1:1\/x \/x` could not be fetched/],
      [['ARG X=gone\nCOPY "$X" /x'], /command 1, line 2: COPY failed: there is no "gone" to take\.$/],
    ];
    await using place = await workspace();
    await place.write({ a: "a" });
    for (const [commands, message] of failing) {
      const error = await buildImage(
        client,
        Image.fromRegistry(tiny).dockerfileCommands(commands, { contextFiles: { a: place.path("a") } }),
      ).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(LaminaError);
      expect(error).toMatchObject({
        code: "STEP_FAILED",
        message: expect.stringMatching(message),
        info: { source: { file: import.meta.filename } },
      });
    }
  });

  test("what ADD fetches at once does not count as the layer before it being done", { timeout: 60_000 }, async () => {
    await using web = await serve((_, response) => response.end("fetched"));
    const order: string[] = [];
    const adding = Image.fromRegistry(tiny)
      .runCommands("sleep 0.5", "echo slept")
      .dockerfileCommands([`ADD http://${web.host}/a /a`]);
    const built = await buildImage(client, adding, {
      onEvent: (event) => {
        if (event.type === "layer-started" || event.type === "layer-built") order.push(`${event.type} ${event.layer}`);
        if (event.type === "log" && event.line === "slept") order.push(event.line);
      },
    });
    const [, one, two] = built.layers.map(({ id }) => id);
    expect(order).toEqual([`layer-started ${one}`, "slept", `layer-built ${one}`, `layer-started ${two}`, `layer-built ${two}`]);
  });

  test("nothing is left in the image of secrets, and what would stay fails the step", { timeout: 60_000 }, async () => {
    const used = Image.fromRegistry(tiny).dockerfileCommands(
      ['RUN test -n "$TOKEN"', "RUN --mount=type=secret,id=TOKEN cat /run/secrets/TOKEN"],
      { secrets: [token] },
    );
    await buildImage(client, used);
    const kept = Image.fromRegistry(tiny).dockerfileCommands(["RUN echo ok", "RUN echo $TOKEN > /kept"], { secrets: [token] });
    await expect(buildImage(client, kept)).rejects.toMatchObject({
      code: "STEP_FAILED",
      message: expect.stringMatching(/^dockerfileCommands: command 2: RUN failed: the value of TOKEN was found in \/kept/),
    });
  });
});
