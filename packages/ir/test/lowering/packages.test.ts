import { projectOf, wheelOf } from "@lamina/testkit";
import { expect, test } from "vitest";
import type { ResolvedStep } from "../../src/index.ts";
import { directory, file, type FixtureEntry, fixtureTree } from "../golden/fixture-tree.ts";
import { sourceDistribution } from "../golden/source-distribution.ts";
import { wheelIndex } from "../golden/wheel-index.ts";
import { wheel } from "../golden/wheel.ts";
import { derived, pythonBase } from "./bases.ts";
import { build, expectBuilt, expectFailed } from "./build.ts";
import { inspect } from "./inspect.ts";

const repository = "test/packages";
type Step = Extract<ResolvedStep, { kind: "addPythonPackages" }>;
type Package = Step["packages"][number] & { readonly files: Readonly<Record<string, string | Uint8Array>> };

const wheelPackage = (name: string, content: Uint8Array): Package => ({ kind: "wheel", name, files: { "": content } });
const project = (name: string, files: Package["files"]): Package => ({ kind: "project", name, files });
const module = (name: string, files: Package["files"]): Package => ({ kind: "module", name, files });

/** The step that adds packages, and the tree that it needs. */
function adding(...packages: readonly Package[]) {
  const entries = packages.flatMap(({ name, files }, index): FixtureEntry[] => [
    directory(`${index + 1}`),
    ...Object.entries(files).map(([path, content]) => file([index + 1, name, path].join("/").replace(/\/$/, ""), content)),
  ]);
  const tree = fixtureTree(...entries);
  const step: Step = { kind: "addPythonPackages", tree: tree.digest, packages: packages.map(({ kind, name }) => ({ kind, name })) };
  return { steps: [step], trees: [tree] };
}

const sample = wheelPackage(wheel.newerFileName, wheel.newer);
const prints = (code: string, text: string, python = "python3") => `[ "$(${python} -c '${code}')" = '${text}' ]`;

test("wheels, source distributions, projects and modules leave nothing but themselves, with byte code that names its source", async () => {
  const { name, content } = await sourceDistribution();
  const packages = adding(
    { kind: "sdist", name, files: { "": content } },
    project("projects", projectOf({ module: "lamina_project", version: "1.0", source: "A = 1\n", requires: ["lamina-sample"] })),
    wheelPackage("lamina_wheel-1.0-py3-none-any.whl", wheelOf({ module: "lamina_wheel", version: "1.0", source: "A = 2\n" }).content),
    module("lamina_module", { "__init__.py": "from .inner import A\n", "inner.py": "A = 3\n" }),
  );
  const look = [prints("import lamina_sample, lamina_project, lamina_wheel, lamina_module; print(lamina_module.A)", "3")];
  const { digest } = expectBuilt(await build({ from: await pythonBase(), ...packages, look, output: { kind: "image", repository } }));
  const [layer = []] = (await inspect(repository, digest, 1)).layers;
  const files = layer.filter(({ type }) => type === "file");
  expect(files.filter((one) => !/\/(dist|site)-packages\/(__pycache__\/)?lamina_/.test(one.name))).toEqual([]);
  const byteCode = files.filter((one) => one.name.endsWith(".pyc"));
  expect(byteCode.map((one) => one.content.readUInt32LE(4))).toEqual(Array(5).fill(3));
});

test("what they need comes from the index of the image's settings, and a token for it stays nowhere", async () => {
  await using index = await wheelIndex("t0ken-of-the-index");
  const needy = wheelOf({
    module: "lamina_needy",
    version: "1.0",
    source: "from lamina_sample import VERSION\n",
    requires: ["lamina-sample"],
  });
  const { steps, trees } = adding(wheelPackage(needy.name, needy.content));
  const secrets = { PIP_INDEX_URL: `http://token:t0ken-of-the-index@${index.host}/simple/` };
  const outcome = expectBuilt(
    await build({
      from: await pythonBase(),
      steps: steps.map((step) => ({ ...step, secrets: ["PIP_INDEX_URL"] })),
      trees,
      secrets,
      look: [prints("import lamina_needy; print(lamina_needy.VERSION)", "2.0")],
      output: { kind: "image", repository },
    }),
  );
  const { layers, rawConfig } = await inspect(repository, outcome.digest, 1);
  expect(layers.flat().filter(({ content }) => content.includes("t0ken-of-the-index"))).toEqual([]);
  expect([rawConfig, ...outcome.names, ...outcome.lines].join("\n")).not.toContain("t0ken-of-the-index");
});

test("a project that changed is built anew, though its version and its pyproject.toml are the same", async () => {
  const from = await pythonBase();
  for (const answer of ["one", "two"]) {
    const files = projectOf({ module: "lamina_changing", version: "1.0", source: `ANSWER = "${answer}"\n` });
    const look = [prints("import lamina_changing; print(lamina_changing.ANSWER)", answer)];
    expectBuilt(await build({ from, ...adding(project("changing", files)), look }));
  }
});

test("what is there already is replaced, by the same version too", async () => {
  const module1 = module("lamina_module", { "__init__.py": "A = 1\n", "gone.py": "" });
  const module2 = module("lamina_module", { "__init__.py": "A = 2\n" });
  const wheel2 = wheelOf({ module: "lamina_sample", version: "2.0", source: 'VERSION = "other"\n' });
  const before = adding(sample, module1);
  const after = adding(wheelPackage(wheel2.name, wheel2.content), module2);
  const look = [
    prints("import lamina_sample, lamina_module; print(lamina_sample.VERSION, lamina_module.A)", "other 2"),
    "! python3 -c 'import lamina_module.gone' 2>/dev/null",
  ];
  const steps = [...before.steps, ...after.steps];
  expectBuilt(await build({ from: await pythonBase(), steps, trees: [...before.trees, ...after.trees], look }));
});

test("they come into a virtual environment that is first on the PATH", async () => {
  const from = await derived(await pythonBase(), 'RUN python3 -m venv /venv\nENV PATH="/venv/bin:$PATH"');
  const look = ['[ "$(find / -xdev -name lamina_sample.py -o -xdev -name lamina_module -type d | grep -c ^/venv/)" = 2 ]'];
  expectBuilt(await build({ from, ...adding(sample, module("lamina_module", { "__init__.py": "" })), look }));
});

test("a project that cannot be built is named", async () => {
  const files = {
    ...projectOf({ module: "lamina_broken", version: "1.0", source: "" }),
    "backend.py": 'raise Exception("no such thing")\n',
  };
  const outcome = expectFailed(await build({ from: await pythonBase(), ...adding(sample, project("broken", files)) }));
  expect(outcome.failed).toMatchObject({ index: 1, count: 2 });
  expect(outcome.failed?.command).toMatch(/^uv build .*\/2\/broken$/);
  expect(outcome.lines.join("\n")).toContain("no such thing");
});
