"""Modules as a container imports them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass


class NoModule(Exception):
    """Code that no container can import, in words that end a sentence."""


@dataclass(frozen=True)
class CodeModule:
    """A module, and the directory in which it, or the package that it is in, is found."""

    directory: str
    name: str


def module_of(name: str) -> CodeModule:
    """Where a module that is imported lies. One that is run as a script goes by the name of its file. Raises NoModule."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        raise NoModule("its code is in no file, which a container could import")
    file = os.path.abspath(file)
    full = main_name() if name == "__main__" else name
    if full is None:
        raise NoModule(f"{file} has a name that cannot be imported: give it one without further dots")
    steps = full.count(".") + (1 if os.path.basename(file) == "__init__.py" else 0)
    directory = os.path.dirname(file)
    for _ in range(steps):
        directory = os.path.dirname(directory)
    return CodeModule(directory, full)


def main_name() -> str | None:
    """The name under which what is run as a script, or by `-m`, is imported elsewhere; None where there is none."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        name: str = spec.name
        return name
    file = getattr(main, "__file__", None)
    if not isinstance(file, str):
        return None
    stem, suffix = os.path.splitext(os.path.basename(file))
    return stem if suffix == ".py" and stem and "." not in stem else None
