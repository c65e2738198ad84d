import { mkdir, symlink } from "node:fs/promises";
import { Image, Secret } from "lamina";
import { describe, expect, test } from "vitest";
import { thrownBy } from "./support/thrown-by.ts";
import { snapshotOfCopy, workspace } from "./support/workspace.ts";

const WHEEL = "sample-1.0-py3-none-any.whl";

test("wheels, source distributions, projects and modules become one tree, in the order in which they were given", async () => {
  await using place = await workspace();
  await place.write({
    [`dist/${WHEEL}`]: "wheel",
    "dist/other-2.0.tar.gz": "sdist",
    "project/pyproject.toml": '[project]\nname = "project"\n',
    "project/src/project/__init__.py": "",
    "old/setup.py": "",
    "my_module/__init__.py": "",
  });
  const secret = Secret.fromDict({ PIP_INDEX_URL: "https://index/simple" });
  const paths = ["dist/other-2.0.tar.gz", "my_module/", "project", `dist/${WHEEL}`, "old"].map((path) => place.path(path));
  const { operation, tree } = await snapshotOfCopy((image) => image.addPythonPackages(...paths, { gpu: "T4", secrets: [secret] }));
  expect(operation).toEqual({
    kind: "addPythonPackages",
    tree: tree.digest,
    packages: [
      { kind: "sdist", name: "other-2.0.tar.gz" },
      { kind: "module", name: "my_module" },
      { kind: "project", name: "project" },
      { kind: "wheel", name: WHEEL },
      { kind: "project", name: "old" },
    ],
    gpu: "T4",
    secrets: [{ kind: "inline", variables: ["PIP_INDEX_URL"] }],
  });
  expect(tree.entries.flatMap((entry) => (entry.kind === "file" ? [entry.path] : []))).toEqual([
    "1/other-2.0.tar.gz",
    "2/my_module/__init__.py",
    "3/project/pyproject.toml",
    "3/project/src/project/__init__.py",
    `4/${WHEEL}`,
    "5/old/setup.py",
  ]);
});

test("what tools leave in a project is no part of it", async () => {
  await using place = await workspace();
  await place.write({ "p/setup.py": "", "p/src/a.py": "", "p/data/.gitkeep": "" });
  const digest = async () => (await snapshotOfCopy((image) => image.addPythonPackages(place.path("p")))).tree.digest;
  const before = await digest();
  await place.write({
    "p/.git/HEAD": "",
    "p/src/__pycache__/a.pyc": "",
    "p/src/a.pyc": "",
    "p/src/p.egg-info/PKG-INFO": "",
    "p/.venv/bin/python": "",
    "p/.pytest_cache/x": "",
  });
  expect(await digest()).toBe(before);
  await place.write({ "p/src/a.py": "changed" });
  expect(await digest()).not.toBe(before);
});

test("the directory that is given may be the working directory, or a link", async () => {
  await using place = await workspace();
  await place.write({ "my_module/__init__.py": "" });
  await symlink("my_module", place.path("linked"));
  const before = process.cwd();
  process.chdir(place.path("my_module"));
  const reading = snapshotOfCopy((image) => image.addPythonPackages("."));
  process.chdir(before);
  expect((await reading).operation).toMatchObject({ packages: [{ kind: "module", name: "my_module" }] });
  const { operation } = await snapshotOfCopy((image) => image.addPythonPackages(place.path("linked")));
  expect(operation).toMatchObject({ packages: [{ kind: "module", name: "linked" }] });
});

const python311 = Image.debianSlim({ pythonVersion: "3.11" });
const anyBase = Image.fromRegistry("registry.example/python:3");

describe("a wheel that the image cannot have is an error at the call", () => {
  test.each([
    [
      "for Windows",
      "wheel-for-another-platform",
      "a-1.0-cp311-cp311-win_amd64.whl",
      /is for win_amd64, and the image is for linux\/amd64 or linux\/arm64/,
    ],
    ["for macOS", "wheel-for-another-platform", "a-1.0-cp311-cp311-macosx_11_0_arm64.whl", /is for macosx_11_0_arm64/],
    ["for Python 2", "wheel-for-another-python", "a-1.0-cp27-none-any.whl", /is for the Python of cp27-none, and the image has Python 3/],
    ["for musl", "wheel-for-another-platform", "a-1.0-cp311-cp311-musllinux_1_2_x86_64.whl", /and the image is for .* with glibc/],
    [
      "for another Python",
      "wheel-for-another-python",
      "a-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
      /and the image has Python 3\.11/,
    ],
    ["for a newer stable ABI", "wheel-for-another-python", "a-1.0-cp312-abi3-manylinux_2_28_x86_64.whl", /and the image has Python 3\.11/],
    ["for PyPy", "wheel-for-another-python", "a-1.0-pp311-pypy311_pp73-linux_x86_64.whl", /and the image has Python 3\.11/],
    ["for a Python without its lock", "wheel-for-another-python", "a-1.0-cp311-cp311t-linux_x86_64.whl", /and the image has Python 3\.11/],
    ["without a version", "invalid-package", "sample.whl", /is no name of a wheel/],
    ["with a part too few", "invalid-package", "sample-1.0-py3-none.whl", /is no name of a wheel/],
    ["with a part too many", "invalid-package", "sample-1.0-x-py3-none-any.whl", /is no name of a wheel/],
  ])("%s", (...[, reason, name, message]) => {
    expect(() => python311.addPythonPackages(`dist/${name}`)).toThrow(message);
    expect(thrownBy(() => python311.addPythonPackages(`dist/${name}`))).toMatchObject({
      code: "INVALID_INPUT",
      reason,
      info: { source: { file: import.meta.filename } },
    });
  });

  test.each([
    "a-1.0-py2.py3-none-any.whl",
    "a-1.0-py311-none-any.whl",
    "a-1.0-cp311-cp311-manylinux_2_17_aarch64.whl",
    "a-1.0-1build-cp38-abi3-manylinux2014_x86_64.whl",
    "a_b.c-1.0+local.1-cp311-none-linux_x86_64.whl",
  ])("but not %s", (name) => {
    expect(python311.addPythonPackages(name)).toBeDefined();
  });

  test.each(["a-1.0-cp314-cp314t-linux_x86_64.whl", "a-1.0-pp311-pypy311_pp73-any.whl", "a-1.0-cp311-cp311-musllinux_1_2_x86_64.whl"])(
    "nor, on a base that may have any Python, %s",
    (name) => {
      expect(anyBase.addPythonPackages(name)).toBeDefined();
    },
  );
});

test("the same package twice, and a source distribution without a version, are errors at the call", () => {
  const twice = () => python311.addPythonPackages("a/My.Sample-1.0-py3-none-any.whl", "b/my_sample-2.0-py3-none-any.whl");
  expect(twice).toThrow(/"My.Sample-1.0-py3-none-any.whl" and "my_sample-2.0-py3-none-any.whl" are the same package/);
  expect(() => python311.addPythonPackages("sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz")).toThrow(/are the same package/);
  expect(() => python311.addPythonPackages("sample.tar.gz")).toThrow(/is no name of a source distribution/);
  expect(() => python311.addPythonPackages()).toThrow(/addPythonPackages: give at least one path/);
});

describe("what is no package is an error at the user's line, before anything is sent", () => {
  test.each([
    ["a path that is not there", "missing-file", "nothing", /addPythonPackages: there is no ".*nothing"/],
    ["a file of another kind", "invalid-package", "notes.txt", /"\S*notes.txt" is neither a wheel \(\.whl\), a source distribution/],
    ["a directory without anything of Python", "invalid-package", "empty", /"\S*empty" is no Python package/],
    ["a pyproject.toml that has the settings of tools alone", "invalid-package", "tools", /"\S*tools" is no Python package/],
    ["a pyproject.toml that is not TOML", "invalid-pyproject", "broken", /broken\/pyproject.toml" is not TOML: line 2, column \d+/],
    ["a module that cannot be imported", "invalid-package", "my-module", /"my-module" cannot be imported by that name/],
    ["a device", "invalid-package", "/dev/null", /"\/dev\/null" is neither a wheel/],
  ])("%s", async (...[, reason, given, message]) => {
    await using place = await workspace();
    await place.write({
      "notes.txt": "",
      "tools/pyproject.toml": "[tool.ruff]\n",
      "broken/pyproject.toml": "[project]\nname = \n",
      "my-module/__init__.py": "",
    });
    await mkdir(place.path("empty"));
    const path = given.startsWith("/") ? given : place.path(given);
    const reading = snapshotOfCopy((image) => image.addPythonPackages(path));
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toMatchObject({ code: "INVALID_INPUT", reason, info: { source: { file: import.meta.filename } } });
  });
});
