"""`run_function` of a function that is named by its file, before that is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._definition import RunFields, RunFunction, StepOperation, running
from .._local.problem import LocalPath, Unsupported, about_path
from .._local.text import read_text
from ._base import LocalStep, ReadStep


@dataclass(frozen=True)
class LocalFunction(LocalStep):
    """A function of a file."""

    path: LocalPath
    name: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    run: RunFields

    @property
    def method(self) -> str:
        """The method of Image that made it."""
        return "run_function"

    def without_files(self) -> StepOperation:
        """The operation with another source."""
        return function_operation(self.name, f"def {self.name}(): ...", self.args, self.kwargs, self.run)

    def read(self, home: str) -> ReadStep:
        """The text of the file."""
        with about_path(self.path):
            source = read_text(self.path.path)
        if not re.search(rf"^(async )?def {self.name}\b|^{self.name}\b.*=", source, re.MULTILINE):
            raise Unsupported(f'"{self.path.given}" defines no function {self.name}')
        return ReadStep(function_operation(self.name, source, self.args, self.kwargs, self.run), None)


def function_operation(name: str, source: str, args: Sequence[Any], kwargs: Mapping[str, Any], run: RunFields) -> StepOperation:
    """The operation of a function by its source."""
    step: RunFunction = {"kind": "runFunction", "language": "python", "name": name, "source": source}
    if args:
        step["args"] = list(args)
    if kwargs:
        step["kwargs"] = dict(kwargs)
    return running(step, run)
