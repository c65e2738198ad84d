"""`copy_local_file` and `copy_local_dir` before their files are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .._definition import StepOperation
from .._local.ignore import ignoring_of
from .._local.ignore_file import ignore_lines
from .._local.problem import LocalPath, Unsupported, about_path
from .._local.tree import kind_of, read_directory_tree, read_file_tree
from .._text import normal_path
from ._base import NO_TREE, LocalStep, ReadStep


@dataclass(frozen=True)
class LocalCopy(LocalStep):
    """A copy before its files are read."""

    kind: Literal["copyLocalFile", "copyLocalDir"]
    path: LocalPath
    destination: str
    condition: Callable[[str], bool] | None = None
    ignore: tuple[str, ...] = ()
    """Patterns as in a .dockerignore, after those of the directory's own."""

    @property
    def method(self) -> str:
        """The method of Image that made it."""
        return "copy_local_dir" if self.kind == "copyLocalDir" else "copy_local_file"

    def without_files(self) -> StepOperation:
        """The operation, with the digest of no tree."""
        return _operation(self.kind, NO_TREE, self.destination)

    def read(self, home: str) -> ReadStep:
        """A file, or what is in a directory."""
        with about_path(self.path):
            kind = kind_of(self.path.path)
            if kind == "directory":
                return self._read_directory(home)
            if kind == "file" and self.kind == "copyLocalFile":
                return self._read_file(home)
            wanted = "directory" if self.kind == "copyLocalDir" else "file or a directory"
            raise Unsupported(f'"{self.path.given}" is not a {wanted}')

    def _read_file(self, home: str) -> ReadStep:
        tree = read_file_tree(self.path.path, home=home)
        return ReadStep(_operation("copyLocalFile", tree.digest, "./" if self.destination == "." else self.destination), tree)

    def _read_directory(self, home: str) -> ReadStep:
        patterns = [*ignore_lines(self.path.path), *self.ignore]
        tree = read_directory_tree(
            self.path.path,
            home=home,
            wanted=self._wanted(),
            ignoring=ignoring_of(patterns) if patterns else None,
        )
        return ReadStep(_operation("copyLocalDir", tree.digest, normal_path(f"{self.destination}/.")), tree)

    def _wanted(self) -> Callable[[str], bool] | None:
        condition = self.condition
        if condition is None:
            return None
        prefix = self.path.given.rstrip("/")
        return lambda relative: _is_wanted(condition, f"{prefix}/{relative}")


def _operation(kind: Literal["copyLocalFile", "copyLocalDir"], tree: str, destination: str) -> StepOperation:
    if kind == "copyLocalFile":
        return {"kind": "copyLocalFile", "tree": tree, "destination": destination}
    return {"kind": "copyLocalDir", "tree": tree, "destination": destination}


def _is_wanted(condition: Callable[[str], object], file: str) -> bool:
    """A coroutine is true to an `if`, and a forgotten `return` gives None: what is no answer is an error."""
    try:
        answer = condition(file)
    except Exception as error:
        raise Unsupported(f'the condition failed for "{file}": {error}') from error
    if isinstance(answer, bool):
        return answer
    raise Unsupported(f"the condition gave {type(answer).__name__}; it must give True or False")
