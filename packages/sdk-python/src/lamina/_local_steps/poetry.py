"""`poetry_install_from_file` before its files are read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from .._definition import PoetryInstallFromFile, RunFields, running
from .._local.parts import TreePart, read_parts
from .._local.problem import LocalPath, Unsupported, about_path
from .._local.text import read_text
from .._local.tree import LocalTree, kind_of
from .._poetry.lock import check_lock
from .._poetry.project import check_project, read_project
from ._base import NO_TREE, LocalStep, ReadStep

_PYPROJECT = "pyproject.toml"
_LOCK = "poetry.lock"


@dataclass(frozen=True)
class LocalPoetry(LocalStep):
    """A project of Poetry before its files are read."""

    pyproject: LocalPath
    lock: LocalPath | Literal["beside", "ignored"]
    """`beside`: the poetry.lock in the directory of the pyproject, if there is one."""
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    run: RunFields

    @property
    def method(self) -> str:
        """The method of Image that made it."""
        return "poetry_install_from_file"

    def without_files(self) -> PoetryInstallFromFile:
        """The operation, with the digest of no tree."""
        plain: PoetryInstallFromFile = {"kind": "poetryInstallFromFile", "tree": NO_TREE}
        operation = running(plain, self.run)
        if self.extras:
            operation["extras"] = list(self.extras)
        if self.groups:
            operation["groups"] = list(self.groups)
        return operation

    def read(self, home: str) -> ReadStep:
        """The pyproject, and its lock where that counts; both are checked."""
        lock = self._lock()
        _check_file(self.pyproject)
        parts = [TreePart(self.pyproject, _PYPROJECT)]
        if lock is not None:
            _check_file(lock)
            parts.append(TreePart(lock, _LOCK))
        tree = read_parts(parts, home=home)
        project = read_project(_text_of(tree, _PYPROJECT), self.pyproject.given)
        check_project(project, extras=self.extras, groups=self.groups, is_locked=lock is not None)
        if lock is not None:
            check_lock(_text_of(tree, _LOCK), lock.given, project)
        operation = self.without_files()
        operation["tree"] = tree.digest
        return ReadStep(operation, tree)

    def _lock(self) -> LocalPath | None:
        if self.lock == "ignored":
            return None
        if self.lock != "beside":
            return self.lock
        given, path = (os.path.join(os.path.dirname(place), _LOCK) for place in (self.pyproject.given, self.pyproject.path))
        return LocalPath(given, path) if os.path.lexists(path) else None


def _check_file(path: LocalPath) -> None:
    with about_path(path):
        if kind_of(path.path) != "file":
            raise Unsupported(f'"{path.given}" is not a file')


def _text_of(tree: LocalTree, place: str) -> str:
    """The text of a file of the tree, in the state that is in the tree."""
    file = next(tree.files[entry["digest"]] for entry in tree.entries if entry["kind"] == "file" and entry["path"] == place)
    return read_text(file.path, file.stamp)
