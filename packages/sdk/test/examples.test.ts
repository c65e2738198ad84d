/** The examples, built for real: what is in their images, and what their functions do. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import {
  base,
  gitServer,
  gpuStandIn,
  packageIndex,
  serve,
  tagImage,
  type TestPlatform,
  testPlatform,
  TORCH_OF_DEBIAN,
  webPage,
  wheelOf,
} from "@lamina/testkit";
import { buildImage, type BuildResult, type Client, type ClientEvent, connect, Image, imagesOf, type NamedImage } from "lamina";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lookInside } from "./support/look-inside.ts";

const MINUTES = 60_000;
/** What the tests of the same examples in Python use. */
const PYTHON_TESTS = join(import.meta.dirname, "../../sdk-python/test");

let platform: TestPlatform;
let client: Client;

beforeAll(async () => {
  const [cdi] = await Promise.all([gpuStandIn(), base("3.11"), base("3.13")]);
  platform = await testPlatform({
    uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "",
    runners: { "runner-t4": { LAMINA_POOL: "T4", LAMINA_GPUS: "0,1", LAMINA_CDI: cdi } },
  });
  // For the sessions of the examples' own apps.
  Object.assign(process.env, { LAMINA_URL: platform.url, LAMINA_TOKEN: platform.clientToken });
  client = await connect({ url: platform.url, token: platform.clientToken });
}, 5 * MINUTES);
afterAll(() => platform?.[Symbol.asyncDispose]());

/** The one image of an example. */
async function imageOf(example: string): Promise<NamedImage> {
  const exports: Readonly<Record<string, unknown>> = await import(join(import.meta.dirname, "../examples", example));
  const [found] = imagesOf(exports);
  if (found === undefined) throw new Error(`${example} exports no image`);
  return found;
}

async function build(example: string, onEvent?: (event: ClientEvent) => void): Promise<BuildResult> {
  const { image, name } = await imageOf(example);
  return buildImage(client, image, { name, onEvent });
}

const python = (result: BuildResult, code: string) => lookInside(client, result, "python", "-c", code);
const shell = (result: BuildResult, code: string) => lookInside(client, result, "sh", "-c", code);

test("Basic Python Environment", { timeout: 5 * MINUTES }, async () => {
  const result = await build("basic-python-environment.ts");
  expect(result.layers.map(({ operation }) => operation)).toEqual(["debianSlim", "pipInstall"]);
  expect(await python(result, "import sys, requests, bs4, pandas; print(sys.version_info[:2], pandas.__version__)")).toBe("(3, 11) 2.0.0");
  // The names work bare, and nothing of ours is left.
  expect(await shell(result, "pip --version >/dev/null && command -v uv || echo no uv")).toBe("no uv");

  await using page = await webPage(PAGE);
  const { app, scrapeAndAnalyze } = await import("../examples/basic-python-environment.ts");
  const found = await app.run(() => scrapeAndAnalyze.remote(page.url));
  expect(found).toEqual({ total_links: 4, unique_domains: 2 });
});

const PAGE = `
<a href="https://one.example/a">a</a> <a href="https://one.example/b">b</a> <a href="http://two.example/">c</a> <a href="/here">d</a>`;

test("Data Science Environment", { timeout: 10 * MINUTES }, async () => {
  const result = await build("data-science-environment.ts");
  expect(result.layers.map(({ operation }) => operation)).toEqual(["debianSlim", "aptInstall", "pipInstall", "runCommands", "env"]);
  expect(
    await python(result, "import numpy, pandas, sklearn, matplotlib, seaborn, plotly, scipy, lightgbm, jupyter_core; print('all')"),
  ).toBe("all");
  expect(await shell(result, "git --version >/dev/null && curl --version >/dev/null && make --version >/dev/null && ls -d /opt/data")).toBe(
    "/opt/data",
  );
  expect(await shell(result, "echo $DATA_PATH $PYTHONPATH")).toBe("/opt/data /opt/models");

  // 150 flowers, measured by E. Anderson.
  await using dataset = await webPage(await readFile(join(PYTHON_TESTS, "reference/iris.csv"), "utf8"));
  const { app, trainModel } = await import("../examples/data-science-environment.ts");
  const trained = await app.run(() => trainModel.remote(dataset.url));
  expect(trained).toEqual({ accuracy: expect.any(Number), model_type: "RandomForest" });
  expect(trained.accuracy).toBeGreaterThan(0.8);
  expect(trained.accuracy).toBeLessThanOrEqual(1);
});

test("Environment Variables and Configuration", { timeout: 5 * MINUTES }, async () => {
  const result = await build("environment-variables.ts");
  expect(await shell(result, "echo $ENVIRONMENT $LOG_LEVEL $API_TIMEOUT")).toBe("production INFO 30");
  expect(await python(result, "import pydantic; from dotenv import dotenv_values; print(dotenv_values('/app/.env')['API_URL'])")).toBe(
    "https://api.example.com",
  );
  expect(await shell(result, "stat -c '%a %u:%g' /app/.env")).toBe("644 0:0");
});

test("Caching for Faster Builds", { timeout: 5 * MINUTES }, async () => {
  const first = await build("caching.ts");
  expect(first.layers.map(({ status }) => status)).toEqual(["hit", "built", "built", "built"]);
  expect(await python(first, "import numpy, pandas, requests, tabulate; print(requests.__version__)")).toBe("2.32.3");
  const second = await build("caching.ts");
  expect(second.layers.map(({ status }) => status)).toEqual(["hit", "hit", "hit", "hit"]);
  expect(second.ref).toBe(first.ref);
});

test("Development Environment with Local Code", { timeout: 5 * MINUTES }, async () => {
  const result = await build("development.ts");
  expect(result.layers.map(({ operation }) => operation)).toEqual([
    "debianSlim",
    "pipInstall",
    "copyLocalDir",
    "copyLocalFile",
    "runCommands",
    "workdir",
  ]);
  const { app, runTests } = await import("../examples/development.ts");
  const tested = await app.run(() => runTests.remote());
  expect(tested).toMatchObject({ exitCode: 0, stderr: "" });
  expect(tested.stdout).toMatch(/test_a_book_that_was_added_is_found PASSED[^]*2 passed/);
  expect(await shell(result, "pwd && find /app/src -type f -not -path '*/__pycache__/*' | sort")).toBe(
    "/app\n/app/src/shelf.py\n/app/src/tests/test_shelf.py",
  );
});

test("Poetry-based Project", { timeout: 5 * MINUTES }, async () => {
  await using installer = await serve((_, response) => response.end(POETRY_INSTALLER));
  process.env["EXAMPLE_POETRY_INSTALLER"] = `http://${installer.host}/`;
  const result = await build("poetry-project.ts");
  const operations = ["debianSlim", "aptInstall", "runCommands", "poetryInstallFromFile", "copyLocalDir", "workdir"];
  expect(result.layers.map(({ operation }) => operation)).toEqual(operations);
  const { app, processWithPoetryDeps } = await import("../examples/poetry-project.ts");
  expect(await app.run(() => processWithPoetryDeps.remote())).toBe("5.0 GB");
  expect(await shell(result, "pwd && /root/.local/bin/poetry --version")).toBe("/app\nPoetry of the example");
  // Neither the Poetry of the step nor what the project needs for its development.
  const missing = "print([m for m in ('poetry', 'iniconfig') if importlib.util.find_spec(m)])";
  expect(await python(result, `import importlib.util; ${missing}`)).toBe("[]");
});

/** What the address of Poetry's installer gives: a script for Python that puts a program into the home directory. */
const POETRY_INSTALLER = `
import pathlib
program = pathlib.Path.home() / ".local/bin/poetry"
program.parent.mkdir(parents=True, exist_ok=True)
program.write_text("#!/bin/sh\\necho Poetry of the example\\n")
program.chmod(0o755)
`;

test("Secrets in Build Process", { timeout: 5 * MINUTES }, async () => {
  const tokens = { git: "ghp_0123456789abcdef", index: "index-0123456789abcdef" };
  await using git = await gitServer(tokens.git);
  await using index = await packageIndex(tokens.index, [wheelOf({ module: "private_package", version: "99.0", source: "ANSWER = 42\n" })]);
  Object.assign(process.env, {
    EXAMPLE_GIT_SERVER: `http://${git.host}`,
    EXAMPLE_PACKAGE_INDEX: `http://${index.host}/simple/`,
    GITHUB_TOKEN: tokens.git,
    PRIVATE_REGISTRY_TOKEN: tokens.index,
  });
  const events: ClientEvent[] = [];
  const result = await build("secrets-in-build.ts", (event) => events.push(event));
  expect(await shell(result, "cat /app/README.md && git -C /app remote get-url origin")).toBe(
    `private\nhttp://${git.host}/private/repo.git`,
  );
  expect(await python(result, "import private_package; print(private_package.ANSWER)")).toBe("42");

  // One that is put there shows that the search works.
  const search = `grep -rlE '${tokens.git}|${tokens.index}' / --exclude-dir=proc --exclude-dir=sys 2>/dev/null`;
  expect(await shell(result, `printf '%s' ${tokens.git} >/planted; ${search} || true`)).toBe("/planted");
  for (const token of Object.values(tokens)) expect(JSON.stringify(events)).not.toContain(token);
});

test("Multi-stage Build", { timeout: 5 * MINUTES }, async () => {
  await using git = await gitServer("unused", { "custom-lib": join(import.meta.dirname, "../examples/multi-stage/custom-lib") });
  process.env["EXAMPLE_CUSTOM_LIB"] = `http://${git.host}/published/custom-lib.git`;
  const result = await build("multi-stage-build.ts");
  const operations = [
    "aptInstall",
    "aptInstall",
    "runCommands",
    "pipInstall",
    "copyLocalFile",
    "copyLocalDir",
    "runCommands",
    "aptInstall",
    "runCommands",
  ];
  expect(result.layers.map(({ operation }) => operation)).toEqual(["debianSlim", ...operations]);
  const { app, runOptimizedComputation } = await import("../examples/multi-stage-build.ts");
  expect(await app.run(() => runOptimizedComputation.remote([1, 2, 3]))).toBe(14);
  // What was there to compile it is gone.
  expect(await shell(result, "command -v cmake || command -v g++ || command -v git")).toBe("/usr/bin/git");
});

test("Custom Base Image", { timeout: 10 * MINUTES }, async () => {
  process.env["EXAMPLE_REGISTRY"] = await cudaStandIn();
  const result = await build("custom-base-image.ts");
  const operations = ["fromRegistry", "aptInstall", "runCommands", "pipInstall", "env"];
  expect(result.layers.map(({ operation }) => operation)).toEqual(operations);

  const { app, runInference } = await import("../examples/custom-base-image.ts");
  const { seenGpus } = await import("./support/seen-gpus.ts");
  const [seen, inferred] = await app.run(() => Promise.all([seenGpus.remote(), runInference.remote(MODEL, "Hello world")]));
  expect(seen).toEqual({ variable: "1", devices: 1 });
  // For each of the two words, and for the marks before and after them.
  expect(inferred).toEqual({ embeddings_shape: [1, 4, 8], mean_embedding: expect.any(Number) });
  expect(Math.abs(inferred.mean_embedding)).toBeLessThan(5);
});

/** Where the base has a model as small as one can be. */
const MODEL = "/models/tiny";

/** Puts Debian with its PyTorch, which counts on the processor, into the test registry under the name of the example's base, and returns the host. */
async function cudaStandIn(): Promise<string> {
  const write = `import pathlib, tiny_model
for name, content in tiny_model.model_files().items():
    pathlib.Path("${MODEL}", name).write_bytes(content if isinstance(content, bytes) else content.encode())`;
  const image = Image.fromRegistry(await base("3.13"))
    .runCommands(...TORCH_OF_DEBIAN)
    .copyLocalFile(join(PYTHON_TESTS, "python/tiny_model.py"), "/models/tiny_model.py")
    .runCommands(`mkdir ${MODEL} && cd /models && python3 -c '${write}'`);
  const { ref } = await buildImage(client, image);
  return tagImage(ref, { repository: "nvidia/cuda", tag: "11.8-devel-ubuntu22.04" });
}
