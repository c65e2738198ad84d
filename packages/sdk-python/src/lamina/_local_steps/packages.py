"""`add_python_packages` before its files are read."""

from __future__ import annotations

import os
from dataclasses import dataclass

from .._definition import AddPythonPackages, LocalPackage, PackageKind, RunFields
from .._local.ignore import ignoring_of
from .._local.parts import TreePart, read_parts
from .._local.problem import LocalPath, Unsupported, about_path
from .._local.text import read_text
from .._local.toml import parse_toml
from .._local.tree import is_file, kind_of
from .._python_package import module_name_problem
from ._base import NO_TREE, LocalStep, ReadStep


@dataclass(frozen=True)
class LocalPackages(LocalStep):
    """Packages before their files are read."""

    paths: tuple[LocalPath, ...]
    run: RunFields

    @property
    def method(self) -> str:
        """The method of Image that made it."""
        return "add_python_packages"

    def without_files(self) -> AddPythonPackages:
        """The operation with the digest of no tree, and packages of the kinds that their names tell."""
        return self._operation(NO_TREE, [_package(_kind_by_name(path.path) or "project", path) for path in self.paths])

    def read(self, home: str) -> ReadStep:
        """All packages as one tree, in the order in which they were given."""
        packages = [_package(_package_kind(path), path) for path in self.paths]
        parts = [TreePart(path, f"{number}/{os.path.basename(path.path)}", ignoring=_IGNORING) for number, path in enumerate(self.paths, 1)]
        tree = read_parts(parts, home=home)
        return ReadStep(self._operation(tree.digest, packages), tree)

    def _operation(self, tree: str, packages: list[LocalPackage]) -> AddPythonPackages:
        return {"kind": "addPythonPackages", "tree": tree, "packages": packages, **self.run}


# What no package is made of, and what tools that look at a project leave in it: a change of it is no change of the package.
_IGNORING = ignoring_of(
    f"**/{name}"
    for name in (
        ".git .hg .svn __pycache__ *.pyc *.egg-info .venv .tox .nox .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage".split()
    )
)


def _package(kind: PackageKind, path: LocalPath) -> LocalPackage:
    return {"kind": kind, "name": os.path.basename(path.path)}


def _kind_by_name(path: str) -> PackageKind | None:
    if path.endswith(".whl"):
        return "wheel"
    return "sdist" if path.endswith((".tar.gz", ".zip")) else None


def _package_kind(path: LocalPath) -> PackageKind:
    with about_path(path):
        if kind_of(path.path) == "directory":
            return _directory_kind(path)
        kind = _kind_by_name(path.path)
        if kind is not None:
            return kind
        raise Unsupported(f'"{path.given}" is neither a wheel (.whl), a source distribution (.tar.gz, .zip) nor a directory')


def _directory_kind(path: LocalPath) -> PackageKind:
    if _is_project(path.path):
        return "project"
    if is_file(os.path.join(path.path, "__init__.py")):
        problem = module_name_problem(os.path.basename(path.path))
        if problem is not None:
            raise Unsupported(problem)
        return "module"
    raise Unsupported(
        f'"{path.given}" is no Python package: a project has a pyproject.toml with [project] or [build-system], or a setup.py;'
        " what is imported as it is has an __init__.py"
    )


def _is_project(directory: str) -> bool:
    """Whether a build backend makes something of it. A pyproject.toml may hold the settings of tools alone."""
    if is_file(os.path.join(directory, "setup.py")):
        return True
    pyproject = os.path.join(directory, "pyproject.toml")
    if not is_file(pyproject):
        return False
    data = parse_toml(read_text(pyproject), pyproject)
    return "project" in data or "build-system" in data or is_file(os.path.join(directory, "setup.cfg"))
