"""The SHA-256 of local files, read in chunks."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from .problem import ChangedWhileRead
from .stop import check_stopped

_CHUNK = 256 * 1024


@dataclass(frozen=True)
class FileStamp:
    """What tells whether a file is still the one that was looked at; times in nanoseconds."""

    size: int
    mtime_ns: int
    ctime_ns: int
    ino: int


def stamp_of(stats: os.stat_result) -> FileStamp:
    """The stamp of what was looked at."""
    return FileStamp(stats.st_size, stats.st_mtime_ns, stats.st_ctime_ns, stats.st_ino)


def digest_of(path: str, stamp: FileStamp) -> str:
    """The digest of the file's content, all of it from the state that `stamp` describes. Raises ChangedWhileRead."""
    content = hashlib.sha256()
    for chunk in chunks_of(path, stamp):
        check_stopped()
        content.update(chunk)
    return f"sha256:{content.hexdigest()}"


def chunks_of(path: str, stamp: FileStamp) -> Iterator[bytes]:
    """The content in chunks. Raises ChangedWhileRead when it is not, or did not stay, what `stamp` says."""
    file = _open(path)
    try:
        if stamp_of(os.fstat(file)) != stamp:
            raise ChangedWhileRead(path)
        read = 0
        while read < stamp.size:
            chunk = os.read(file, _CHUNK)
            if not chunk:
                break
            read += len(chunk)
            yield chunk
        if read != stamp.size or stamp_of(os.fstat(file)) != stamp:
            raise ChangedWhileRead(path)
    finally:
        os.close(file)


def holds_anything(path: str) -> bool:
    """Whether there is a byte in it, whatever size it says to have."""
    file = _open(path)
    try:
        return os.read(file, 1) != b""
    finally:
        os.close(file)


def _open(path: str) -> int:
    """Never follows a link that took the place of a file that was looked at, nor waits for a FIFO that did."""
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise ChangedWhileRead(path) from error
        raise
