"""Walks a local directory without following links."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .ignore import Ignoring, Verdict
from .problem import ChangedWhileRead, Unsupported
from .stop import check_stopped


@dataclass(frozen=True)
class Found:
    """Something in a directory."""

    path: str
    """Relative to the directory that was walked, with `/`."""
    absolute: str
    stats: os.stat_result


@dataclass(frozen=True)
class Selection:
    """What is to be found."""

    wanted: Callable[[str], bool]
    """Whether to take what has this relative path; asked of all but directories that hold something."""
    ignoring: Ignoring | None = None
    """What is as if it were not there."""


def walk(root: str, selection: Selection) -> list[Found]:
    """What is wanted under a directory, and the directories on the way there; one whose content is all unwanted is left out.

    An ignored directory is read only where an exception may be in it. Raises Unsupported for a name that is not UTF-8
    or that layers give another meaning; ChangedWhileRead.
    """
    return [found for found in _walk_directory(_Place("", root, None, None), os.lstat(root), selection) if found.path != ""]


def name_fault(name: str) -> str | None:
    """What keeps a file from being in a layer under a name: one with `.wh.` in front is taken for a deleted file."""
    return "begins with .wh., which marks a deleted file in an image" if name.startswith(".wh.") else None


@dataclass(frozen=True)
class _Place:
    path: str
    absolute: str
    verdict: Verdict | None
    """None where nothing is ignored."""
    problem: str | None
    """What is wrong with its name."""

    @property
    def is_ignored(self) -> bool:
        return self.verdict is not None and self.verdict.is_ignored


def _walk_directory(directory: _Place, stats: os.stat_result, selection: Selection) -> list[Found]:
    """The directory and what is wanted under it, or nothing."""
    check_stopped()
    places = list(_places_in(directory, selection.ignoring))
    children = [(place, _look(place)) for place in places if _is_looked_at(place, selection)]
    found: list[Found] = []
    for place, looked in children:
        if stat.S_ISDIR(looked.st_mode):
            found.extend(_walk_directory(place, looked, selection))
        elif not place.is_ignored and selection.wanted(place.path):
            found.append(Found(place.path, place.absolute, looked))
    here = Found(directory.path, directory.absolute, stats)
    if found:
        return [here, *found]
    is_taken = all(place.is_ignored for place in places) and not directory.is_ignored
    # The directory that is walked is not asked about.
    return [here] if is_taken and (directory.path == "" or selection.wanted(directory.path)) else []


def _places_in(directory: _Place, ignoring: Ignoring | None) -> Iterator[_Place]:
    for name in os.listdir(directory.absolute):
        text, problem = _text_of(name)
        path = text if directory.path == "" else f"{directory.path}/{text}"
        verdict = None if ignoring is None else ignoring.verdict(path, directory.verdict)
        yield _Place(path, f"{directory.absolute}/{name}", verdict, problem)


def _text_of(name: str) -> tuple[str, str | None]:
    """The name as text, and what is wrong with it. BuildKit knows names as UTF-8."""
    exact = os.fsencode(name)
    try:
        text = exact.decode()
    except UnicodeDecodeError:
        return exact.decode(errors="replace"), "has a name that is not UTF-8"
    return text, name_fault(text)


def _is_looked_at(place: _Place, selection: Selection) -> bool:
    """Not what is ignored with all below it, nor what a layer could not hold and is not wanted."""
    if place.verdict is not None and place.verdict.is_closed:
        return False
    if place.problem is None:
        return True
    if place.is_ignored or not selection.wanted(place.path):
        return False
    shown = os.fsencode(place.absolute).decode(errors="replace")
    raise Unsupported(f'"{shown}" {place.problem}; rename it or leave it out')


def _look(place: _Place) -> os.stat_result:
    try:
        return os.lstat(place.absolute)
    except FileNotFoundError as error:
        raise ChangedWhileRead(place.absolute) from error
