"""Whether this runs in a container of a function."""

from __future__ import annotations

import os

_HARNESS = "/lamina/harness/python.py"


def in_container() -> bool:
    """Where the platform has its harness, a function runs, also in processes that it started."""
    return os.path.exists(_HARNESS)


def is_local() -> bool:
    """Whether this is no container of a function."""
    return not in_container()
