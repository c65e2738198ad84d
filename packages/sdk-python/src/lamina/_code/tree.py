"""The code of functions as trees: sources in Python beside a user's file, with this package for modules that import it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from .._local.ignore import ignoring_of
from .._local.ignore_file import ignore_lines
from .._local.parts import TreePart, read_parts
from .._local.problem import LocalPath, Unsupported
from .._local.tree import LocalTree
from .module import CodeModule

# Never sources, wherever they are.
_LEFT_OUT = ["**/.venv", "**/venv", "**/__pycache__", "**/node_modules", "**/.git", "**/*.pyc"]
# `module.py`, and extension modules such as `module.cpython-312-x86_64-linux-gnu.so`.
_MODULE = re.compile(r"[\w-]+\.py|\w+(\.[\w-]+)*\.so")
_OURS = "lamina"
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def code_tree(module: CodeModule, home: str) -> LocalTree:
    """The tree of a module's sources: the package that it is in, where it is in one; else the modules and packages of the directory.

    What the directory's .dockerignore leaves out is left out. Raises Unsupported.
    """
    directory, name = module.directory, module.name
    top = name.split(".", maxsplit=1)[0]
    is_file = os.path.exists(os.path.join(directory, f"{top}.py"))
    is_in_package = os.path.isdir(os.path.join(directory, top)) and ("." in name or not is_file)
    found = [top] if is_in_package else _modules_and_packages(directory)
    # A directory of our name that is no package is not what the module imports here.
    names = [one for one in found if not one.startswith(f"{_OURS}/")]
    ignoring = ignoring_of(["*", *(f"!{one}" for one in names), *ignore_lines(directory), *_LEFT_OUT])
    parts = [TreePart(LocalPath(directory, directory), ".", ignoring)]
    if _OURS not in names and f"{_OURS}.py" not in names:
        parts.append(TreePart(LocalPath(_OURS, _PACKAGE), _OURS, ignoring_of(_LEFT_OUT)))
    tree = read_parts(parts, home=home)
    place = name.replace(".", "/")
    if any(entry["path"] == f"{place}/__init__.py" or entry["path"].startswith(f"{place}.") for entry in tree.entries):
        return tree
    raise Unsupported(f"there is no module {name} in {directory} (looked for {place}.py and {place}/__init__.py)")


def _modules_and_packages(directory: str) -> Sequence[str]:
    """What of a directory can be imported, as patterns: modules, directories that are packages, and modules in other directories."""
    return [pattern for name in sorted(os.listdir(directory)) for pattern in _patterns_of(directory, name)]


def _patterns_of(directory: str, name: str) -> Sequence[str]:
    """A directory without modules right in it is not searched: what lies beside a file may be anything."""
    place = os.path.join(directory, name)
    if _MODULE.fullmatch(name):
        return [name]
    if not re.fullmatch(r"\w+", name):
        return []
    if os.path.exists(os.path.join(place, "__init__.py")):
        return [name]
    inside = _names_in(place)
    others = [one for one in inside if not _MODULE.fullmatch(one)]
    if len(others) == len(inside):
        return []
    below = [pattern for one in others for pattern in _patterns_of(place, one)]
    return [f"{name}/{pattern}" for pattern in ("*.py", "*.so", *below)]


def _names_in(place: str) -> Sequence[str]:
    """None of what is no directory, is a link, or cannot be read."""
    try:
        return [] if os.path.islink(place) else sorted(os.listdir(place))
    except OSError:
        return []
