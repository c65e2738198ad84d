"""A pyproject.toml as Poetry reads it: `[project]`, `[dependency-groups]` and `[tool.poetry]`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._local.problem import Unsupported
from .._local.toml import parse_toml
from .._python_package import normal_package_name

Table = Mapping[str, Any]


@dataclass(frozen=True)
class PoetryProject:
    """A pyproject.toml, and the file as it was given."""

    given: str
    data: Table


def read_project(text: str, given: str) -> PoetryProject:
    """Raises Unsupported for what is not TOML or has another shape than a pyproject."""
    data = parse_toml(text, given)
    for path, kind in _SHAPE.items():
        for place, value in _values_at(data, path.split(".")):
            if not _has_kind(value, kind):
                raise Unsupported(f'"{given}": {place}: must be {kind}')
    return PoetryProject(given, data)


# What is looked at, where it is there; `*` is any key.
_SHAPE = {
    "project": "a table",
    "project.dependencies": "a list of strings",
    "project.optional-dependencies": "a table",
    "project.optional-dependencies.*": "a list of strings",
    "dependency-groups": "a table",
    "dependency-groups.*": "a list",
    "tool": "a table",
    "tool.poetry": "a table",
    "tool.poetry.dependencies": "a table",
    "tool.poetry.dev-dependencies": "a table",
    "tool.poetry.group": "a table",
    "tool.poetry.group.*": "a table",
    "tool.poetry.group.*.dependencies": "a table",
    "tool.poetry.extras": "a table",
    "tool.poetry.extras.*": "a list of strings",
}


def _values_at(data: Any, path: Sequence[str]) -> Iterable[tuple[str, Any]]:
    if not path:
        yield "", data
        return
    if not isinstance(data, Mapping):
        return
    for key in data if path[0] == "*" else [path[0]]:
        if key in data:
            for rest, value in _values_at(data[key], path[1:]):
                yield f"{key}.{rest}".removesuffix("."), value


def _has_kind(value: Any, kind: str) -> bool:
    if kind == "a table":
        return isinstance(value, Mapping)
    return isinstance(value, list) and (kind == "a list" or all(isinstance(item, str) for item in value))


def check_project(project: PoetryProject, *, extras: Iterable[str], groups: Iterable[str], is_locked: bool) -> None:
    """Raises Unsupported where what is wanted is not in the project, or lies in files beside it."""
    given, data = project.given, project.data
    dependencies = _dependencies_of(data)
    if dependencies is None:
        raise Unsupported(f'"{given}" has no dependencies: neither [project] nor [tool.poetry.dependencies] nor a group lists any')
    _check_names(given, "extra", _extras_of(data), extras)
    _check_names(given, "group", _groups_of(data), groups)
    for one in dependencies:
        # Without a lock Poetry looks at all of them.
        if one.local is not None and (not is_locked or one.is_installed(extras, groups)):
            raise Unsupported(
                f'"{given}" needs {one.name} from "{one.local}", and files beside it are not sent:'
                " take it out of the project and add it with add_python_packages"
            )


def _check_names(given: str, what: str, known: Sequence[str], wanted: Iterable[str]) -> None:
    unknown = next((name for name in wanted if name not in known), None)
    if unknown is not None:
        raise Unsupported(f'"{given}" has no {what} "{unknown}"; it has {", ".join(known) or "none"}')


@dataclass(frozen=True)
class _Dependency:
    name: str
    group: str
    """`main`, or the group that lists it."""
    extras: Sequence[str] | None
    """It is installed only with one of these; None for always."""
    local: str | None
    """The path of a directory or file on this machine."""

    def is_installed(self, extras: Iterable[str], groups: Iterable[str]) -> bool:
        if self.group != "main":
            return self.group in groups
        return self.extras is None or any(extra in extras for extra in self.extras)


def _table(data: Table, *path: str) -> Table:
    for key in path:
        data = data.get(key, {})
    return data


def _dependencies_of(data: Table) -> list[_Dependency] | None:
    """All dependencies, or None where nothing lists any."""
    project, poetry = _table(data, "project"), _table(data, "tool", "poetry")
    listing = [(project, "dependencies"), (project, "optional-dependencies"), (data, "dependency-groups")]
    listing += [(poetry, key) for key in ("dependencies", "group", "dev-dependencies")]
    if not any(key in table for table, key in listing):
        return None
    found = [_standard(text, "main", None) for text in project.get("dependencies", [])]
    for extra, texts in _table(project, "optional-dependencies").items():
        found += [_standard(text, "main", [normal_package_name(extra)]) for text in texts]
    for group, items in _table(data, "dependency-groups").items():
        found += [_standard(text, normal_package_name(group), None) for text in items if isinstance(text, str)]
    tables = [("main", _table(poetry, "dependencies")), ("dev", _table(poetry, "dev-dependencies"))]
    tables += [(normal_package_name(group), _table(one, "dependencies")) for group, one in _table(poetry, "group").items()]
    extras = _table(poetry, "extras")
    return found + [_of_poetry(name, value, group, extras) for group, table in tables for name, value in table.items()]


def _standard(text: str, group: str, extras: Sequence[str] | None) -> _Dependency:
    """`name @ file:///…`, or another requirement."""
    name, *urls = [part.strip() for part in text.split("@")[:2]]
    url = urls[0] if urls else ""
    is_local = re.match(r"file:|\.{0,2}/", url)
    return _Dependency(name, group, extras, url.split(";")[0].strip() if is_local else None)


def _of_poetry(name: str, value: Any, group: str, extras: Table) -> _Dependency:
    """A constraint, a table, or several of them for different environments."""
    tables = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping)]
    is_optional = any(one.get("optional") is True for one in tables)
    bringing = [
        normal_package_name(extra) for extra, names in extras.items() if normal_package_name(name) in map(normal_package_name, names)
    ]
    local = next((one["path"] for one in tables if isinstance(one.get("path"), str)), None)
    return _Dependency(name, group, bringing if is_optional else None, local)


def _extras_of(data: Table) -> list[str]:
    names = [*_table(data, "project", "optional-dependencies"), *_table(data, "tool", "poetry", "extras")]
    return sorted(set(map(normal_package_name, names)))


def _groups_of(data: Table) -> list[str]:
    poetry = _table(data, "tool", "poetry")
    names = [*_table(poetry, "group"), *_table(data, "dependency-groups"), *(["dev"] if "dev-dependencies" in poetry else [])]
    return sorted(set(map(normal_package_name, names)))
