"""What is wrong with a local path, in the terms of who named it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class LocalPath:
    """A path as it was given, and the same from the root, by the working directory at the time of the call."""

    given: str
    path: str


class Unsupported(Exception):
    """A file that is wanted and that no image layer can hold, or that cannot be what it is wanted for."""


class ChangedWhileRead(Exception):
    """The file was another one, or another content, when reading ended than when it began."""

    def __init__(self, path: str) -> None:
        super().__init__(f'"{path}" changed while it was read; try again when nothing writes to it')
        self.path = path


@contextmanager
def about_path(place: LocalPath) -> Iterator[None]:
    """What reads a local path. Raises Unsupported with the path as it was given, in place of an error about files."""
    try:
        yield
    except OSError as error:
        raise Unsupported(_problem_of(error, place)) from error


def _problem_of(error: OSError, place: LocalPath) -> str:
    where = error.filename if isinstance(error.filename, str) and error.filename != place.path else place.given
    if error.errno == errno.ENOENT:
        return f'there is no "{where}" (looked at {place.path})'
    if error.errno in (errno.EACCES, errno.EPERM):
        return f'"{where}" may not be read by this user'
    if error.errno == errno.ELOOP:
        return f'"{where}" is a link that leads to itself, or became a link while it was read'
    return f'"{where}" cannot be read: {error.strerror}'
