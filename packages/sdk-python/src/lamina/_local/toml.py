"""TOML as people write it."""

from __future__ import annotations

import sys
from typing import Any

from .problem import Unsupported


def parse_toml(text: str, given: str) -> dict[str, Any]:
    """Raises Unsupported, which names the file and the line."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unsupported(f'"{given}" is not TOML: {error}') from error
