"""A poetry.lock, and whether it was made from its pyproject.toml."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .._local.problem import Unsupported
from .._local.toml import parse_toml
from .project import PoetryProject, Table


def check_lock(text: str, given: str, project: PoetryProject) -> None:
    """Raises Unsupported for what Poetry did not write, or wrote from another pyproject."""
    metadata = parse_toml(text, given).get("metadata")
    made_from = metadata.get("content-hash") if isinstance(metadata, Mapping) else None
    version = metadata.get("lock-version") if isinstance(metadata, Mapping) else None
    if not isinstance(made_from, str) or not isinstance(version, str):
        raise Unsupported(f'"{given}" is no lock of Poetry: it has no metadata with a content hash; run `poetry lock`')
    if not re.match(r"[12]\.", version):
        raise Unsupported(f'"{given}" has the lock version {version}, and only 1 and 2 are known: make it with an older Poetry')
    hashes = [content_hash(project.data)]
    if _is_older(text):
        hashes.append(content_hash({**project.data, "dependency-groups": {}}))
    if made_from not in hashes:
        again = "run `poetry lock`, or ask for ignore_lockfile=True"
        raise Unsupported(f'"{given}" was not made from "{project.given}" as it is now: {again}')


def _is_older(text: str) -> bool:
    """Until Poetry 2.3 the hash left `[dependency-groups]` out."""
    match = re.match(r".*Poetry (\d+)\.(\d+)", text, re.ASCII)
    return match is not None and (int(match[1]), int(match[2])) < (2, 3)


_PROJECT_KEYS = ("requires-python", "dependencies", "optional-dependencies")
_OLDEST_KEYS = ("dependencies", "source", "extras", "dev-dependencies")


def content_hash(data: Table) -> str:
    """What Poetry writes into the lock, by which it knows that the pyproject is still the same."""
    of_project = _pick(_table(data.get("project")), _PROJECT_KEYS)
    groups = _table(data.get("dependency-groups"))
    is_standard = bool(of_project) or bool(groups)
    poetry = _table(_table(data.get("tool")).get("poetry"))
    # Without standard content the oldest keys are there even where the file lacks them.
    missing = {} if is_standard else dict.fromkeys(_OLDEST_KEYS)
    of_poetry = {**missing, **_pick(poetry, (*_OLDEST_KEYS, "group"))}
    content: dict[str, Any] = of_poetry
    if is_standard:
        content = {
            **({"project": of_project} if of_project else {}),
            **({"dependency-groups": groups} if groups else {}),
            "tool": {"poetry": of_poetry},
        }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _pick(table: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: table[key] for key in keys if key in table}
