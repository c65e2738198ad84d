"""Says so when a call failed because the platform is of another version."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ._errors import LaminaError
from ._version import VERSION

# What two versions that do not understand each other answer.
_SYMPTOMS = frozenset(["INVALID_INPUT", "NOT_FOUND", "INTERNAL", "UNKNOWN_BUILDER_VERSION"])


async def explain_mismatch(error: LaminaError, info: Callable[[], Awaitable[Mapping[str, Any]]]) -> LaminaError:
    """The error as it is, or VERSION_MISMATCH where it may come from that.

    The platform's version differs from this SDK's in its first two numbers then, and the error is about no place in the
    user's file, or about a builder version that this SDK does know.
    """
    is_placed = error.source is not None and error.code != "UNKNOWN_BUILDER_VERSION"
    if error.code not in _SYMPTOMS or is_placed:
        return error
    try:
        version = str((await info())["version"])
    except (LaminaError, KeyError):
        # The call failed for another reason then, which the caller's error tells.
        return error
    if _numbers(version)[:2] == _numbers(VERSION)[:2]:
        return error
    is_older = _numbers(version) < _numbers(VERSION)
    reason, advice = ("older-platform", "upgrade the platform") if is_older else ("older-client", "upgrade the Python package `lamina`")
    message = f"The platform is version {version}, and this SDK {VERSION}: {advice}. It answered: {error.message}"
    return LaminaError("VERSION_MISMATCH", message, reason=reason, layer=error.layer, source=error.source)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
