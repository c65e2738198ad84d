import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Image, Secret } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failureOf } from "../src/attempt/failure.ts";
import { SolveError, type SolveRequest } from "../src/buildkit/buildkit.ts";
import { buildctl } from "../src/buildkit/buildctl.ts";
import { linkDockerConfig } from "../src/buildkit/docker-config.ts";
import { build, DEBIAN, platform, type Platform } from "./platform.ts";

let here: Platform;
beforeAll(async () => void (here = await platform()));
afterAll(() => here[Symbol.asyncDispose]());

interface Solving extends Partial<Pick<SolveRequest, "secrets" | "signal">> {
  readonly name: string;
  readonly address?: string;
}

/** Solves a Dockerfile as a builder would. */
async function solve(dockerfile: string, { name, address = here.servers.buildkit.address, ...asked }: Solving) {
  const { registry, binaries } = here.servers;
  await using cleanUp = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "lamina-solve-"));
  cleanUp.defer(() => rm(directory, { recursive: true }));
  await mkdir(join(directory, "dockerfile"));
  await writeFile(join(directory, "dockerfile", "Dockerfile"), dockerfile);
  await linkDockerConfig(join(directory, "docker"));
  const environment = { PATH: process.env["PATH"] ?? "", DOCKER_CONFIG: join(directory, "docker") };
  const registries = { [registry.host]: { username: registry.user, password: registry.password } };
  return await buildctl({ program: join(binaries, "buildctl"), address, environment, registries, owner: "test", secretFiles: {} }).solve({
    dockerfile: join(directory, "dockerfile"),
    target: "lamina-1",
    contexts: new Map(),
    buildArgs: {},
    secrets: new Map(),
    registries: {},
    noCache: [],
    platform: "linux/amd64",
    output: { name, compression: "zstd", annotations: {} },
    onStatus: async () => {},
    signal: new AbortController().signal,
    ...asked,
  });
}

const nothing = {
  failed: undefined,
  layer: () => ({ id: "", operation: undefined }),
  placeOfLine: () => undefined,
  layers: 0,
  lastLines: () => [],
  redact: (text: string) => text,
};

async function failureOfSolve(...solving: Parameters<typeof solve>) {
  const error = await solve(...solving).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SolveError);
  return failureOf(error, nothing);
}

describe("a failure is told in the terms of whoever can mend it", () => {
  test("a registry that does not take the image", async () => {
    const failure = await failureOfSolve("FROM scratch AS lamina-1\nWORKDIR /x\n", { name: "127.0.0.1:1/somewhere" });
    expect(failure).toMatchObject({ code: "REGISTRY_UNAVAILABLE", message: expect.stringContaining("could not be pushed") });
  });

  test("an image to copy from whose registry is not reached is named with its layer, and not taken for one to start from", () => {
    const image = `127.0.0.1:9/x/y@sha256:${"a".repeat(64)}`;
    const text = `${image}: failed to resolve source metadata for ${image}: failed to do request: Head "http://127.0.0.1:9/v2/": dial tcp 127.0.0.1:9: connect: connection refused`;
    const operation = { kind: "dockerfileCommands" as const, commands: [`COPY --from=${image} /a /b`] };
    const layer = (place: number) => ({ id: `layer-${place}`, operation: place === 1 ? operation : undefined });
    expect(failureOf(new SolveError("failed", text), { ...nothing, layers: 2, layer })).toEqual({
      code: "REGISTRY_UNAVAILABLE",
      message: `dockerfileCommands: the image ${image} that it copies from could not be had: dial tcp 127.0.0.1:9: connect: connection refused. Check that its registry runs and that BuildKit reaches it.`,
      layer: "layer-1",
    });
  });

  test("what BuildKit finds in instructions before it begins names their layer", async () => {
    await using _builder = await here.builder();
    const name = `${here.servers.registry.host}/no-variables`;
    const { digest } = await solve("FROM scratch AS lamina-1\nWORKDIR /x\n", { name });
    const image = Image.fromRegistry(`${name}@${digest}`).env({ A: "1" }).dockerfileCommands(["LABEL a=b", "ENV B=${NONE:?missing}"]);
    const { error } = await build(here, image.env({ C: "1" }));
    expect(error?.info).toMatchObject({
      code: "BUILD_FAILED",
      message: 'BuildKit failed: failed to process "${NONE:?missing}": NONE: missing',
      source: { file: import.meta.filename },
    });
  });

  test("a step that could not be run is told without the script of it", () => {
    const text = 'process "/bin/sh -c lamina_1=\'a \\"b\\"\'\nexit" did not complete successfully: unable to start: no such thing';
    const failed = { layer: 0, step: { number: 1, total: 1 }, error: text };
    expect(failureOf(new SolveError("failed", text), { ...nothing, failed }).message).toBe(
      "BuildKit failed: unable to start: no such thing",
    );
  });

  test("a parent image that is gone", async () => {
    const gone = `${here.servers.registry.host}/gone@sha256:${"0".repeat(64)}`;
    const failure = await failureOfSolve(`FROM ${gone} AS lamina-1\nWORKDIR /x\n`, { name: `${here.servers.registry.host}/x` });
    expect(failure).toMatchObject({ code: "PARENT_MISSING", message: expect.stringContaining("image to start from") });
  });

  test("a BuildKit that is not there", async () => {
    const failure = await failureOfSolve("FROM scratch AS lamina-1\n", { name: "x", address: "unix:///no/such/socket" });
    expect(failure).toMatchObject({ code: "BUILD_FAILED", message: expect.stringContaining("connection to BuildKit") });
  });

  test("an image without a shell", async () => {
    await using _builder = await here.builder();
    const name = `${here.servers.registry.host}/shell-less`;
    const { digest } = await solve("FROM scratch AS lamina-1\nWORKDIR /x\n", { name });
    const { error } = await build(here, Image.fromRegistry(`${name}@${digest}`).runCommands("echo never"));
    expect(error?.info).toMatchObject({
      code: "STEP_FAILED",
      reason: "missing-shell",
      message: "runCommands failed: the image has no /bin/sh, which it needs to run commands. Start from a base that has a shell.",
    });
  });

  test("a value of a secret that would stay in the layer", async () => {
    await using _builder = await here.builder();
    const secrets = [Secret.fromDict({ GITHUB_TOKEN: "ghp_of-the-failure-test" })];
    const keeping = Image.debianSlim(DEBIAN).runCommands("mkdir /app", "tee /app/x /app/y <<E\n$GITHUB_TOKEN\nE", { secrets });
    const { error } = await build(here, keeping);
    const found = (place: string) =>
      `the value of GITHUB_TOKEN was found in ${place}: a layer must not keep it; remove it in the same call`;
    expect(error?.info.code).toBe("STEP_FAILED");
    expect(error?.info.message).toMatch(
      /^runCommands failed: the value of GITHUB_TOKEN was found in \/app\/[xy]: .*in the same call\. The last/,
    );
    expect(error?.info.lastLines).toEqual(expect.arrayContaining([`lamina: ${found("/app/x")}`, `lamina: ${found("/app/y")}`]));
    expect(JSON.stringify(error?.info)).not.toContain("ghp_of-the");
  });

  test("a file where the image has a directory", async () => {
    await using _builder = await here.builder();
    const file = join(here.directory, "tool");
    await writeFile(file, "");
    const { error } = await build(here, Image.debianSlim(DEBIAN).runCommands("mkdir -p /opt/tool").copyLocalFile(file, "/opt/"));
    expect(error?.info).toMatchObject({
      code: "STEP_FAILED",
      message: "copyLocalFile failed: /opt/tool is a directory in the image, and a file cannot take its place.",
    });
  });

  test("a directory where the image has a file", async () => {
    await using _builder = await here.builder();
    const { error } = await build(here, Image.debianSlim(DEBIAN).workdir("/etc/passwd"));
    expect(error?.info).toMatchObject({
      code: "STEP_FAILED",
      message: "workdir failed: /etc/passwd is a file in the image, and a directory cannot take its place.",
      layer: expect.any(String),
    });
  });

  test("a command that ends the shell before the others", async () => {
    await using _builder = await here.builder();
    const { error } = await build(here, Image.debianSlim(DEBIAN).runCommands("exit 0", "echo never"));
    expect(error?.info).toMatchObject({
      code: "STEP_FAILED",
      command: "exit 0",
      message: expect.stringMatching(/^runCommands failed: `exit 0` ended the shell, and the commands after it would be skipped/),
    });
  });

  test("what BuildKit says of a layer in words that nobody knows", () => {
    const failed = { layer: 0, step: { number: 1, total: 1 }, error: "it broke" };
    const context = { ...nothing, failed, layer: () => ({ id: "the-layer", operation: undefined }) };
    expect(failureOf(new SolveError("failed", "it broke"), context)).toEqual({
      code: "BUILD_FAILED",
      message: "BuildKit failed: it broke",
      layer: "the-layer",
    });
  });

  test("a package that is not there, by the call as it was written", async () => {
    await using _builder = await here.builder();
    const { error } = await build(here, Image.debianSlim(DEBIAN).pipInstall("--no-index", "no-such-package==9", { pre: true }));
    const command = 'pipInstall "--no-index" "no-such-package==9" { pre: true }';
    expect(error?.info).toMatchObject({ code: "STEP_FAILED", command, message: `pipInstall failed: \`${command}\` exited with 1.` });
    expect(error?.info.lastLines?.join("\n")).toContain("no-such-package was not found");
    expect(error?.info.lastLines?.join("\n")).not.toContain("uv pip install");
  });

  test("a uv that the builder does not have", async () => {
    await using _builder = await here.builder({ LAMINA_UV: here.directory });
    const { error } = await build(here, Image.debianSlim(DEBIAN).pipInstall("anything"));
    expect(error?.info).toMatchObject({ code: "BUILD_FAILED", message: expect.stringContaining("This builder has no uv") });
  });
});

test("that the record of a solve with secrets could not be deleted does not hide why the solve ended", async () => {
  const reason = new Error("cancelled");
  const solving = {
    name: "127.0.0.1:1/x",
    address: "unix:///nowhere",
    secrets: new Map([["TOKEN", "t0ken"]]),
    signal: AbortSignal.abort(reason),
  };
  await expect(solve("FROM scratch AS lamina-1\nWORKDIR /x\n", solving)).rejects.toBe(reason);
});
