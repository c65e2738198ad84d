"""A tree of local files, named by its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Literal, TypedDict


class FileEntry(TypedDict):
    """A regular file."""

    kind: Literal["file"]
    path: str
    mode: int
    size: int
    digest: str


class DirectoryEntry(TypedDict):
    """A directory."""

    kind: Literal["directory"]
    path: str
    mode: int


class LinkEntry(TypedDict):
    """A symbolic link, wherever it leads."""

    kind: Literal["link"]
    path: str
    target: str


class FifoEntry(TypedDict):
    """A named pipe."""

    kind: Literal["fifo"]
    path: str
    mode: int


TreeEntry = FileEntry | DirectoryEntry | LinkEntry | FifoEntry
"""What a tree holds. Owner and times are not part of it."""


def tree_mode(mode: int) -> int:
    """The mode that a tree keeps of a local file's: without the write bits of group and others, which depend on the umask."""
    return mode & 0o7755


def sort_entries(entries: Iterable[TreeEntry]) -> list[TreeEntry]:
    """Entries in the order in which a tree holds them: by the bytes of their paths, which is that of code points."""
    return sorted(entries, key=lambda entry: entry["path"])


def tree_digest(entries: Iterable[TreeEntry]) -> str:
    """The digest that names a tree: SHA-256 over the canonical JSON of its sorted entries."""
    # Keys of entries are ASCII and their numbers whole: the writer of Python, which is several times as fast, gives the canonical form.
    text = json.dumps(sort_entries(entries), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
