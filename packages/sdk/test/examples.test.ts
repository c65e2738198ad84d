/** The examples, built for real, and what is in them. */
import { join } from "node:path";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { base, gitServer, packageIndex, serve, tagImage, type TestPlatform, testPlatform, wheelOf } from "@lamina/testkit";
import { buildImage, type BuildResult, type Client, type ClientEvent, connect, Image, imagesOf, type NamedImage } from "lamina";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lookInside } from "./support/look-inside.ts";

const MINUTES = 60_000;

let platform: TestPlatform;
let client: Client;

beforeAll(async () => {
  await Promise.all([base("3.11"), base("3.13")]);
  platform = await testPlatform({ uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "" });
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

/** Builds it with commands on top that have to succeed, so that no runner has to fetch what is large. */
async function buildAndLook(example: string, ...commands: string[]): Promise<BuildResult> {
  const { image, name } = await imageOf(example);
  if (!(image instanceof Image)) throw new Error(`${example} has an image of another copy of the package`);
  return buildImage(client, image.runCommands(...commands), { name });
}

const python = (result: BuildResult, code: string) => lookInside(client, result, "python", "-c", code);
const shell = (result: BuildResult, code: string) => lookInside(client, result, "sh", "-c", code);

test("Basic Python Environment", { timeout: 5 * MINUTES }, async () => {
  const result = await build("basic-python-environment.ts");
  expect(result.layers.map(({ operation }) => operation)).toEqual(["debianSlim", "pipInstall"]);
  expect(await python(result, "import sys, requests, bs4, pandas; print(sys.version_info[:2], pandas.__version__)")).toBe("(3, 11) 2.0.0");
  // The names work bare, and nothing of ours is left.
  expect(await shell(result, "pip --version >/dev/null && command -v uv || echo no uv")).toBe("no uv");
});

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
  const tested = await lookInside(client, result, "python", "-m", "pytest", "src/tests/", "-v");
  expect(tested).toMatch(/test_a_book_that_was_added_is_found PASSED[^]*2 passed/);
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
  expect(await python(result, "from my_package import main_module; print(main_module.process_data())")).toBe("5.0 GB");
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
  const result = await buildAndLook(
    "multi-stage-build.ts",
    "[ \"$(python -c 'import my_optimized_package; print(my_optimized_package.fast_compute([1, 2, 3]))')\" = 14.0 ]",
    "! command -v cmake && ! command -v g++ && command -v git",
  );
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
  expect(result.layers.map(({ operation }) => operation)).toEqual(["debianSlim", ...operations, "runCommands"]);
});

test("Custom Base Image", { timeout: 5 * MINUTES }, async () => {
  const token = "index-0123456789abcdef";
  await using index = await packageIndex(token, HEAVY_PACKAGES);
  Object.assign(process.env, {
    EXAMPLE_REGISTRY: await debianWithoutPython("nvidia/cuda", "11.8-devel-ubuntu22.04"),
    EXAMPLE_PACKAGE_INDEX: `http://token:${token}@${index.host}/simple/`,
  });
  const result = await buildAndLook(
    "custom-base-image.ts",
    "python -c 'import torch, torchvision; from transformers import AutoModel, AutoTokenizer; assert torch.no_grad == AutoModel == AutoTokenizer'",
    '[ "$CUDA_VISIBLE_DEVICES" = 0 ] && pip --version',
  );
  const operations = ["aptInstall", "runCommands", "pipInstall", "env"];
  expect(result.layers.map(({ operation }) => operation)).toEqual(["fromRegistry", ...operations, "runCommands"]);
});

/** Wheels of packages that have some gigabytes, with what the example imports. */
const HEAVY_PACKAGES = ["torch", "torchvision", "transformers"].map((module) =>
  wheelOf({ module, version: "99.0", source: "no_grad = AutoTokenizer = AutoModel = 'stand-in'\n" }),
);

/** Puts a Debian without Python into the test registry under that name, and returns the host. */
async function debianWithoutPython(repository: string, tag: string): Promise<string> {
  const stripped = Image.debianSlim({ pythonVersion: "3.11" }).runCommands(
    "apt-get purge --yes 'python3*' 'libpython3*' && apt-get autoremove --purge --yes && rm -f /usr/bin/python /usr/local/bin/python*",
    // As in Ubuntu 22.04, pip may install into the system's Python.
    "echo 'path-exclude=/usr/lib/python3*/EXTERNALLY-MANAGED' > /etc/dpkg/dpkg.cfg.d/pip",
  );
  const { ref } = await buildImage(client, stripped);
  return tagImage(ref, { repository, tag });
}
