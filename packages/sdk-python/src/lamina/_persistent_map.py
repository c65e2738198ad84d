"""A map that never changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

Value = TypeVar("Value")


class PersistentMap(Generic[Value]):
    """Adding to it gives another, which shares the entries with it, so that a long row of them costs no more than the last."""

    __slots__ = ("_parts",)

    def __init__(self, parts: tuple[Mapping[str, Value], ...] = ()) -> None:
        """The newest part comes first. Each has more entries than the one before it, so there are few."""
        self._parts = parts

    def get(self, name: str) -> Value | None:
        """The value by that name, if there is one."""
        return next((part[name] for part in self._parts if name in part), None)

    def adding(self, entries: Iterable[tuple[str, Value]]) -> PersistentMap[Value]:
        """The map with these entries too."""
        newest = dict(entries)
        count = 0
        for part in self._parts:
            if len(part) > len(newest):
                break
            newest = {**part, **newest}
            count += 1
        return PersistentMap((newest, *self._parts[count:])) if newest else self
