"""Images written in both languages are the same: definitions, trees, ids, and which files are refused."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path
from typing import Any

import pytest

from conftest import Place
from same_definition import SECRETS, Recipe, assert_same

_NAMES = [
    "a",
    "b.py",
    "c.pyc",
    "é",
    "x y",
    "#h",
    "!n",
    "[z]",
    "data",
    "src",
    "__pycache__",
    ".git",
    "B",
    "😀",
    "\uffe6",
    "a-b",
    "a.b",
    "(s)",
    "c++",
]
_PATTERNS = [
    "*", "**", "*.py", "**/*.pyc", "!a", "a/", "/b.py", "src/**", "!src/a", "**/data", "[a-c]*", "[^a-c]*", "?", "# no", "", " !**/a ",
    "a/../b.py", "./src", "!**/src/**", "**a", "a**", "\\[z]", "[[]z]", "src/*/a", "é", "!.", "(s)", "c++", "*[!x]", "**/a/**",
]  # fmt: skip


def _fill(random: random.Random, directory: Path, depth: int = 3) -> None:
    for name in random.sample(_NAMES, random.randint(0, 6)):
        path = directory / name
        kind = random.choice(["file", "file", "file", "directory", "directory", "link", "fifo"])
        if kind == "directory" and depth > 0:
            path.mkdir()
            _fill(random, path, depth - 1)
            path.chmod(random.choice([0o755, 0o700, 0o777, 0o2775]))
        elif kind == "link":
            path.symlink_to(random.choice(["a", "../b.py", "/etc/hostname", "nowhere", "."]))
        elif kind == "fifo":
            os.mkfifo(path, 0o644)
        else:
            path.write_bytes(random.randbytes(random.choice([0, 1, 1000])))
            path.chmod(random.choice([0o644, 0o755, 0o666, 0o600, 0o4755]))


@pytest.mark.parametrize("seed", range(6))
def test_copied_directories_are_the_same_trees(place: Place, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    monkeypatch.chdir(place.directory)
    recipes: list[Recipe] = []
    for number in range(12):
        directory = place.directory / f"d{number}"
        directory.mkdir()
        _fill(chance, directory)
        if chance.random() < 0.5 and not os.path.lexists(directory / ".dockerignore"):
            (directory / ".dockerignore").write_text("\n".join(chance.sample(_PATTERNS, chance.randint(1, 4))))
        options: dict[str, Any] = {}
        if chance.random() < 0.5:
            options["ignore"] = chance.sample([one for one in _PATTERNS if one.strip()], chance.randint(1, 3))
        if chance.random() < 0.3:
            options["condition"] = chance.choice([".py", "a", "/data"])
        local = chance.choice([f"d{number}", f"./d{number}/", f"{place.directory}/d{number}"])
        remote = chance.choice(["/app", "/app/", "x//y/./", "/", "."])
        recipes.append({"base": ["debian_slim", [], {"python_version": "3.12"}], "steps": [["copy_local_dir", [local, remote], options]]})
        recipes.append({"base": ["from_registry", ["x"], {}], "steps": [["copy_local_file", [local, remote], {}]]})
    assert_same(recipes, place.path("."))


def test_what_is_read_once_is_remembered_for_both(place: Place) -> None:
    """The files of the cache are of one form: what one SDK has learnt the other knows."""
    place.write({"d/a": "a", "d/b": "b" * 1000})
    for name in ("a", "b"):
        os.utime(place.path(f"d/{name}"), (1, 1))
    recipe = {"base": ["debian_slim", [], {"python_version": "3.12"}], "steps": [["copy_local_dir", [place.path("d"), "/d"], {}]]}
    assert_same([recipe], place.path("."))
    assert_same([recipe], place.path("."))


@pytest.mark.parametrize("seed", range(4))
def test_chains_of_methods_are_the_same_definitions(place: Place, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    monkeypatch.chdir(place.directory)
    place.write(_FILES)
    os.symlink("main.toml", "linked/pyproject.toml")
    recipes: list[Recipe] = []
    for _ in range(40):
        steps = [_step(chance) for _ in range(chance.randint(0, 6))]
        base = chance.choice([["debian_slim", [], {"python_version": "3.11"}], ["from_registry", ["ghcr.io/a/b:1"], {}]])
        recipes.append({"base": base, "steps": steps})
    assert_same(recipes, place.path("."))


_FILES = {
    "wheels/sample-1.0-py3-none-any.whl": "wheel",
    "wheels/other_one-2.0.tar.gz": "sdist",
    "project/pyproject.toml": '[project]\nname = "project"\n',
    "project/src/a.py": "a",
    "project/.git/HEAD": "x",
    "project/src/__pycache__/a.pyc": "x",
    "module/__init__.py": "",
    "old/setup.py": "",
    "linked/main.toml": "[project]\n",
    "plain.txt": "text",
    "context/a": "a",
}


def _step(chance: random.Random) -> list[Any]:
    run: dict[str, Any] = {}
    if chance.random() < 0.3:
        run["secrets"] = chance.sample(SECRETS, chance.randint(1, 2))
    if chance.random() < 0.3:
        run["gpu"] = chance.choice(["T4", "A100:2", "any"])
    if chance.random() < 0.2:
        run["force_build"] = True
    kind = chance.randint(0, 9)
    if kind == 0:
        named: dict[str, Any] = {"pre": chance.random() < 0.5}
        if chance.random() < 0.5:
            named["find_links"] = chance.choice(["/a", ["/a", "/b"]])
        if chance.random() < 0.5:
            named["extra_index_url"] = chance.choice(["https://x/simple", ["https://x/simple", "https://y/simple"]])
        return ["pip_install", chance.choice([["numpy>=1.2", "six"], ["-r", "requirements.txt"], ["é-x"], ["a b"]]), {**named, **run}]
    if kind == 1:
        return ["apt_install", chance.choice([["git"], ["--purge", "git"], ["git curl"]]), run]
    if kind == 2:
        return ["run_commands", chance.sample(["true", "echo 'a' \"b\"", "cd /\nls", "printf '\\t😀'", "echo hunter2!"], 2), run]
    if kind == 3:
        return ["env", [], {chance.choice(["A", "B", "LAMINA_NL"]): chance.choice(["", "1", "a b\n"])}]
    if kind == 4:
        return ["workdir", [chance.choice(["/a", "a//b/", ".", "/", "/a/../b", "~/x", "/.wh.a", "/a\n", "/\x85"])], {}]
    if kind == 5:
        paths = [
            "wheels/sample-1.0-py3-none-any.whl",
            "wheels/other_one-2.0.tar.gz",
            "project",
            "module/",
            "old",
            "linked",
            "plain.txt",
            "wheels",
            "none",
        ]
        return ["add_python_packages", chance.sample(paths, chance.randint(1, 3)), run]
    if kind == 6:
        places = [
            {"a": "context/a"},
            {".": "context", "b/c": "plain.txt"},
            {"a/b": "plain.txt", "a": "context"},
            {"../x": "plain.txt"},
            {".": "plain.txt"},
        ]
        return ["dockerfile_commands", [["RUN true", "ENV X=1"]], {"context_files": chance.choice(places), **run}]
    if kind == 7:
        return ["dockerfile_commands", [["RUN echo a &&\\\n echo b"]], run]
    if kind == 8:
        return [
            "copy_local_file",
            chance.choice(
                [
                    ["plain.txt"],
                    ["plain.txt", "/x/"],
                    ["./context"],
                    ["/etc/hostname"],
                    ["../x"],
                    ["plain.txt", "."],
                    ["plain.txt", "a\tb"],
                    ["plain.txt", "\0"],
                    ["none"],
                    ["~/x"],
                ]
            ),
            {},
        ]
    return [
        "copy_local_dir",
        chance.choice([["context"], ["context/.", "/x"], ["plain.txt", "/x"], ["../", "/x"], ["."]]),
        {"ignore": ["**/*.whl"]},
    ]


_POETRY = """[tool.poetry]
package-mode = false
[tool.poetry.dependencies]
python = "^3.10"
six = "^1.16"
requests = { version = "^2", optional = true }
local = { path = "../x", optional = true }
[tool.poetry.group.My_Docs.dependencies]
mdurl = "*"
[tool.poetry.extras]
Net = ["requests"]
near = ["local"]
"""
_STANDARD = """[project]
name = "é"
requires-python = ">=3.10"
dependencies = ["six>=1", "x @ file:///a/b ; python_version < '3'"]
[project.optional-dependencies]
a = ["mdurl"]
[dependency-groups]
dev = ["pytest", {include-group = "x"}]
x = []
"""


def test_projects_of_poetry_are_the_same_and_are_refused_for_the_same(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.directory)
    recipes: list[Recipe] = []
    for number, pyproject in enumerate([_POETRY, _STANDARD, "[tool.x]\n", "[project]\ndependencies = []\n"]):
        for lock in ["none", "fitting", "other", "newer", "no lock"]:
            directory = f"p{number}-{lock.replace(' ', '-')}"
            place.write({f"{directory}/pyproject.toml": pyproject})
            if lock != "none":
                place.write({f"{directory}/poetry.lock": _lock(lock, pyproject)})
            for options in [{}, {"extras": ["NET"]}, {"extras": ["near"]}, {"groups": ["my.docs", "main"]}, {"groups": ["nothing"]}]:
                for ignored in [False, True]:
                    call = ["poetry_install_from_file", [f"{directory}/pyproject.toml"], {**options, "ignore_lockfile": ignored}]
                    recipes.append({"base": ["debian_slim", [], {"python_version": "3.12"}], "steps": [call]})
    assert_same(recipes, place.path("."))


def _lock(kind: str, pyproject: str) -> str:
    from lamina._local.toml import parse_toml
    from lamina._poetry.lock import content_hash

    if kind == "no lock":
        return "package = []\n"
    digest = content_hash(parse_toml(pyproject, "")) if kind != "other" else "0" * 64
    version = "3.0" if kind == "newer" else "2.1"
    return f'# This file is automatically @generated by Poetry 2.5.1\n[metadata]\nlock-version = "{version}"\ncontent-hash = "{digest}"\n'


_WHEELS = [
    "a-1.0-py3-none-any.whl",
    "a-1-cp311-cp311-manylinux_2_17_x86_64.whl",
    "a-1-cp312-abi3-musllinux_1_1_x86_64.whl",
    "a-1-py2-none-any.whl",
    "a.whl",
    "a-1-cp39-abi3-linux_aarch64.whl",
    "a-1-py3-none-win32.whl",
    "b.tar.gz",
    "b-1.zip",
    "A_-1-py3-none-any.whl",
]


@pytest.mark.parametrize(
    "base", [["debian_slim", [], {"python_version": "3.11"}], ["debian_slim", [], {"python_version": "3.9"}], ["from_registry", ["x"], {}]]
)
def test_packages_are_refused_for_the_same(place: Place, monkeypatch: pytest.MonkeyPatch, base: list[Any]) -> None:
    monkeypatch.chdir(place.directory)
    place.write({f"w/{name}": "x" for name in _WHEELS})
    pairs = [[f"w/{one}"] for one in _WHEELS] + [["w/a-1.0-py3-none-any.whl", "w/a-1-cp311-cp311-manylinux_2_17_x86_64.whl"]]
    assert_same([{"base": base, "steps": [["add_python_packages", paths, {}]]} for paths in pairs], place.path("."))


_REFERENCES = [
    "python:3.12",
    "Python",
    "a b",
    "localhost:5000/a",
    "[::1]:5000/a/b",
    f"x@sha256:{'0' * 64}",
    "x@sha256:0",
    "a__b",
    "a___b",
    "-a",
    "a:-b",
    "scratch",
    "é",
]


def test_bases_are_refused_for_the_same(place: Place) -> None:
    secret = {"values": {"REGISTRY_USERNAME": "u", "REGISTRY_PASSWORD": "p", "X": "y"}}
    recipes: list[Recipe] = [{"base": ["from_registry", [reference], {}], "steps": []} for reference in _REFERENCES]
    recipes += [{"base": ["from_registry", ["x"], {"secret": one}], "steps": []} for one in (secret, {"name": "kept"}, SECRETS[0])]
    recipes += [{"base": ["debian_slim", [], {"builder_version": "1999.01", "python_version": "3.12"}], "steps": []}]
    recipes += [{"base": ["from_registry", ["x"], {"setup_dockerfile_commands": ["RUN true"]}], "steps": []}]
    empty = ["from_registry", ["scratch"], {}]
    recipes += [
        {"base": empty, "steps": [["env", [], {"A": "1"}], ["workdir", ["/x"], {}], *more]}
        for more in ([["run_commands", ["true"], {}]], [["pip_install", ["a"], {}]], [["dockerfile_commands", [["ENV B=1"]], {}]])
    ]
    assert_same(recipes, place.path("."))


def test_names_that_no_layer_can_hold_are_refused_for_the_same(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.directory)
    place.write({"wh/.wh.a": "a", "socket/ok": "a", "link/ok": "a", "bad/.dockerignore": "ok\n[z"})
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket/s")
    os.symlink(b"a\xff", os.fsencode(place.path("link/l")))
    copies = [["wh"], ["socket"], ["link"], ["bad"], ["wh/.wh.a"]]
    assert_same(
        [{"base": ["from_registry", ["x"], {}], "steps": [["copy_local_file", [*copy, "/x"], {}]]} for copy in copies],
        place.path("."),
    )


def test_functions_that_run_while_building_are_the_same_by_their_files(place: Place) -> None:
    place.write({"latin.py": b"# coding: latin-1\ndef download(): return '\xe9'\n"})
    os.symlink("model.py", place.path("linked.py"))
    place.write({"model.py": "\ufeffimport os\n\nasync def download(size):\n    os.mkdir('/m')\n", "none.py": "x = 1\n"})
    base = ["debian_slim", [], {"python_version": "3.12"}]
    given: list[tuple[str, dict[str, Any]]] = [
        ("model.py:download", {"args": [3, {"a": [None]}], "secrets": [{"name": "kept"}], "gpu": "T4"}),
        ("model.py:download", {}),
        ("linked.py:download", {}),
        ("latin.py:download", {}),
        ("none.py:download", {}),
    ]
    assert_same([{"base": base, "steps": [["run_function", [place.path(name)], options]]} for name, options in given], place.path("."))
