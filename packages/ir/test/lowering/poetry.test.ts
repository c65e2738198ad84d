import { packageIndex, wheelOf } from "@lamina/testkit";
import { expect, test } from "vitest";
import type { ResolvedStep } from "../../src/index.ts";
import { file, fixtureTree } from "../golden/fixture-tree.ts";
import { poetryLock, pyproject } from "../golden/poetry-project.ts";
import { authorities } from "./authorities.ts";
import { pythonBase } from "./bases.ts";
import { build, expectBuilt, expectFailed } from "./build.ts";
import { inspect } from "./inspect.ts";

type Step = Extract<ResolvedStep, { kind: "poetryInstallFromFile" }>;

/** The step that installs a project, and the tree that it needs. */
function installing(files: Readonly<Record<string, string>>, options: Partial<Step> = {}) {
  const tree = fixtureTree(...Object.entries(files).map(([path, content]) => file(path, content)));
  const step: Step = { kind: "poetryInstallFromFile", tree: tree.digest, ...options };
  return { steps: [step], trees: [tree] };
}

test("without a lock, Poetry chooses from the sources of the project; a secret gives the credentials and stays nowhere", async () => {
  const token = "t0ken-of-the-source";
  const repository = "test/poetry";
  const packages = [
    wheelOf({ module: "lamina_needy", version: "1.2", source: "from lamina_sample import ANSWER\n", requires: ["lamina-sample<3"] }),
    wheelOf({ module: "lamina_needy", version: "2.0", source: "" }),
    wheelOf({ module: "lamina_sample", version: "2.0", source: "ANSWER = 42\n" }),
    wheelOf({ module: "lamina_sample", version: "3.0", source: "" }),
  ];
  await using index = await packageIndex(token, packages);
  const project = `[project]
name = "needs-needy"
version = "1.0"
license = { file = "docs/LICENSE" }
readme = "README.md"
requires-python = ">=3.10"
dependencies = ["lamina-needy (>=1.0,<2.0)"]

[[tool.poetry.source]]
name = "private"
url = "http://${index.host}/simple/"
priority = "primary"
`;
  const secrets = { POETRY_HTTP_BASIC_PRIVATE_USERNAME: "token", POETRY_HTTP_BASIC_PRIVATE_PASSWORD: token };
  const outcome = expectBuilt(
    await build({
      from: await pythonBase(),
      ca: await authorities(),
      ...installing({ "pyproject.toml": project }, { secrets: Object.keys(secrets).sort() }),
      secrets,
      look: ["[ \"$(python3 -c 'import lamina_needy; print(lamina_needy.ANSWER)')\" = 42 ]", "! find / -xdev -name '*poetry*' | grep ."],
      output: { kind: "image", repository },
    }),
  );
  const { layers, rawConfig } = await inspect(repository, outcome.digest, 1);
  expect(layers.flat().filter(({ content }) => content.includes(token))).toEqual([]);
  expect([rawConfig, ...outcome.names, ...outcome.lines].join("\n")).not.toContain(token);
});

test("a project for another Python fails before anything is installed", async () => {
  const other = pyproject.replace(">=3.10", ">=3.10,<3.12");
  const outcome = expectFailed(
    await build({ from: await pythonBase(), ca: await authorities(), ...installing({ "pyproject.toml": other }) }),
  );
  expect(outcome.lines.join("\n")).toMatch(/The project is for Python >=3.10,<3.12, and this image has 3\.13\.\d+\./);
  expect(outcome.failed).toMatchObject({ index: 1, count: 2 });
});

test("a lock of another project fails, in Poetry's words", async () => {
  const files = { "pyproject.toml": pyproject.replace("six>=1.16", "six>=1.17"), "poetry.lock": poetryLock };
  const outcome = expectFailed(await build({ from: await pythonBase(), ca: await authorities(), ...installing(files) }));
  expect(outcome.lines.join("\n")).toContain("pyproject.toml changed significantly since poetry.lock was last generated");
});

test("a package that is not the one that was locked is refused", async () => {
  const lock = poetryLock.replaceAll(/(file = "six-.*hash = "sha256:)[0-9a-f]{8}/g, "$100000000");
  const outcome = expectFailed(
    await build({ from: await pythonBase(), ca: await authorities(), ...installing({ "pyproject.toml": pyproject, "poetry.lock": lock }) }),
  );
  expect(outcome.lines.join("\n")).toContain("Hash mismatch for `six==1.17.0`");
  expect(outcome.failed).toMatchObject({ index: 2, count: 2 });
});
