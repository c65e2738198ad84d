"""The public methods of an image with their parameters, and an image for each, as in `method-rows.ts` of the SDK for TypeScript.

As a program, `methods.py DIRECTORY RESOLUTION`, it prints both as JSON, with local files of the directory: of each image its code,
definition and ids.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina import Image, Secret
from lamina._definition import resolve_definition
from lamina._layer import layer_ids
from lamina._snapshot import snapshot_of
from lamina._synchronize import synchronized
from lamina.image import state_of


@dataclass(frozen=True)
class Row:
    """A method, one of its parameters or none for the method alone, and an image that is made with it."""

    method: str
    parameter: str | None
    make: Callable[[Image], Image]


def make() -> None:
    """Runs while building."""
    Path("/made").mkdir()


ROWS = [
    Row("debian_slim", None, lambda _: Image.debian_slim()),
    Row("debian_slim", "python_version", lambda _: Image.debian_slim("3.11")),
    Row("debian_slim", "builder_version", lambda _: Image.debian_slim("3.11", builder_version="2026.11")),
    Row("from_registry", "tag", lambda _: Image.from_registry("ubuntu:24.04")),
    Row("from_registry", "secret", lambda _: Image.from_registry("ghcr.io/a/b:1", secret=Secret.from_name("registry"))),
    Row(
        "from_registry",
        "setup_dockerfile_commands",
        lambda _: Image.from_registry("ubuntu:24.04", setup_dockerfile_commands=["RUN true"]),
    ),
    Row("pip_install", "packages", lambda image: image.pip_install("numpy>=1.26", "-r", "requirements.txt")),
    Row("pip_install", "find_links", lambda image: image.pip_install("six", find_links="/wheels")),
    Row("pip_install", "index_url", lambda image: image.pip_install("six", index_url="https://x/simple")),
    Row(
        "pip_install",
        "extra_index_url",
        lambda image: image.pip_install("six", extra_index_url=["https://x/simple", "https://y/simple"]),
    ),
    Row("pip_install", "pre", lambda image: image.pip_install("six", pre=True)),
    Row("pip_install", "force_build", lambda image: image.pip_install("six", force_build=True)),
    Row("pip_install", "secrets", lambda image: image.pip_install("six", secrets=[Secret.from_name("index")])),
    Row("pip_install", "gpu", lambda image: image.pip_install("six", gpu="T4")),
    Row("poetry_install_from_file", "poetry_pyproject_toml", lambda image: image.poetry_install_from_file("pyproject.toml")),
    Row(
        "poetry_install_from_file",
        "poetry_lock_file",
        lambda image: image.poetry_install_from_file("pyproject.toml", "locks/poetry.lock"),
    ),
    Row(
        "poetry_install_from_file",
        "ignore_lockfile",
        lambda image: image.poetry_install_from_file("pyproject.toml", "poetry.lock", ignore_lockfile=True),
    ),
    Row("poetry_install_from_file", "extras", lambda image: image.poetry_install_from_file("pyproject.toml", extras=["net"])),
    Row("poetry_install_from_file", "groups", lambda image: image.poetry_install_from_file("pyproject.toml", groups=["docs"])),
    Row("poetry_install_from_file", "force_build", lambda image: image.poetry_install_from_file("pyproject.toml", force_build=True)),
    Row(
        "poetry_install_from_file",
        "secrets",
        lambda image: image.poetry_install_from_file("pyproject.toml", secrets=[Secret.from_name("index")]),
    ),
    Row("poetry_install_from_file", "gpu", lambda image: image.poetry_install_from_file("pyproject.toml", gpu="T4")),
    Row("run_commands", "commands", lambda image: image.run_commands("cd /tmp", "pwd >here")),
    Row("run_commands", "secrets", lambda image: image.run_commands("true", secrets=[Secret.from_dict({"TOKEN": "t0ken"})])),
    Row("run_commands", "gpu", lambda image: image.run_commands("nvidia-smi", gpu="A100:2")),
    Row("run_commands", "force_build", lambda image: image.run_commands("true", force_build=True)),
    Row("apt_install", "packages", lambda image: image.apt_install("git", "curl")),
    Row("apt_install", "force_build", lambda image: image.apt_install("git", force_build=True)),
    Row("apt_install", "secrets", lambda image: image.apt_install("git", secrets=[Secret.from_name("mirror")])),
    Row("apt_install", "gpu", lambda image: image.apt_install("git", gpu="any")),
    Row("copy_local_file", "local_path", lambda image: image.copy_local_file("data/a.txt")),
    Row("copy_local_file", "remote_path", lambda image: image.copy_local_file("data/a.txt", "/srv/")),
    Row("copy_local_dir", "local_path", lambda image: image.copy_local_dir("data")),
    Row("copy_local_dir", "remote_path", lambda image: image.copy_local_dir("data", "/srv")),
    Row(
        "copy_local_dir",
        "condition",
        lambda image: image.copy_local_dir("data", "/srv", condition=lambda path: path.endswith(".txt")),
    ),
    Row("copy_local_dir", "ignore", lambda image: image.copy_local_dir("data", "/srv", ignore="*.pyc")),
    Row("add_python_packages", "python_packages", lambda image: image.add_python_packages("wheels/a-1.0-py3-none-any.whl", "module")),
    Row("add_python_packages", "force_build", lambda image: image.add_python_packages("module", force_build=True)),
    Row("add_python_packages", "secrets", lambda image: image.add_python_packages("module", secrets=[Secret.from_name("index")])),
    Row("add_python_packages", "gpu", lambda image: image.add_python_packages("module", gpu="T4")),
    Row("dockerfile_commands", "dockerfile_commands", lambda image: image.dockerfile_commands(["RUN true", "ENV A=1"])),
    Row("dockerfile_commands", "secrets", lambda image: image.dockerfile_commands(["RUN true"], secrets=[Secret.from_name("deploy")])),
    Row("dockerfile_commands", "gpu", lambda image: image.dockerfile_commands(["RUN true"], gpu="T4")),
    Row(
        "dockerfile_commands",
        "context_files",
        lambda image: image.dockerfile_commands(["COPY a.txt /srv/"], context_files={"a.txt": "data/a.txt"}),
    ),
    Row("dockerfile_commands", "force_build", lambda image: image.dockerfile_commands(["RUN true"], force_build=True)),
    Row("run_function", None, lambda image: image.run_function(make)),
    Row("run_function", "function", lambda image: image.run_function("functions.py:make")),
    Row("run_function", "args", lambda image: image.run_function("functions.py:make", args=["a", 1])),
    Row("run_function", "kwargs", lambda image: image.run_function("functions.py:make", kwargs={"name": "a"})),
    Row("run_function", "secrets", lambda image: image.run_function("functions.py:make", secrets=[Secret.from_name("deploy")])),
    Row("run_function", "gpu", lambda image: image.run_function("functions.py:make", gpu="T4")),
    Row("run_function", "force_build", lambda image: image.run_function("functions.py:make", force_build=True)),
    Row("env", "env_vars", lambda image: image.env(LOG_LEVEL="INFO")),
    Row("workdir", "path", lambda image: image.workdir("/app")),
]


def _codes() -> list[str]:
    """The code of each row's image, as it is written here."""
    source = Path(__file__).read_text()
    codes: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Row":
            made = node.args[-1]
            assert isinstance(made, ast.Lambda)
            codes.append((node.lineno, " ".join((ast.get_source_segment(source, made.body) or "").split())))
    return [code for _, code in sorted(codes)]


def _methods() -> list[dict[str, Any]]:
    public = {name: member for name, member in vars(Image).items() if not name.startswith("_")}
    return [{"name": name, "parameters": _parameters(member)} for name, member in public.items()]


def _parameters(member: object) -> list[str]:
    if isinstance(member, synchronized):
        member = member._method
    elif isinstance(member, staticmethod):
        member = member.__func__
    assert inspect.isfunction(member), member
    return [name for name in inspect.signature(member).parameters if name != "self"]


def _made(row: Row, code: str, resolution: dict[str, Any]) -> dict[str, Any]:
    definition = snapshot_of(state_of(row.make(Image.debian_slim("3.12")))).definition
    resolved = resolve_definition(definition, resolution["platform"], resolution["baseDigest"], resolution["secrets"])
    return {"method": row.method, "parameter": row.parameter, "code": code, "definition": definition, "ids": layer_ids(resolved)}


def _main() -> None:
    directory, resolution = sys.argv[1], json.loads(sys.argv[2])
    os.chdir(directory)
    rows = [_made(row, code, resolution) for row, code in zip(ROWS, _codes())]
    json.dump({"methods": _methods(), "rows": rows}, sys.stdout)


if __name__ == "__main__":
    _main()
