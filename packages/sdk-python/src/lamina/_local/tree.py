"""Local files as a tree: what is in it, the digest that names it, and where its files lie."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .._tree import TreeEntry, sort_entries, tree_digest, tree_mode
from .digest import FileStamp, holds_anything, stamp_of
from .hash_cache import HashCache
from .ignore import Ignoring
from .problem import Unsupported
from .stop import in_threads
from .walk import Found, Selection, name_fault, walk


@dataclass(frozen=True)
class LocalFile:
    """A file of a tree on this machine, as it was when its digest was taken."""

    path: str
    stamp: FileStamp
    is_new: bool
    """It was read now, and not before in this state."""


@dataclass(frozen=True)
class LocalTree:
    """A tree, and where its files lie."""

    digest: str
    entries: Sequence[TreeEntry]
    files: Mapping[str, LocalFile]
    """One file for each content, by its digest."""
    remember: Callable[[], None]
    """Keeps what was learnt by reading, so that the next reading need not read as much."""


def kind_of(path: str) -> Literal["file", "directory", "other"]:
    """What a local path is, a link at its end followed."""
    mode = os.stat(path).st_mode
    if stat.S_ISREG(mode):
        return "file"
    return "directory" if stat.S_ISDIR(mode) else "other"


def is_file(path: str) -> bool:
    """Whether there is a file. What keeps that from being known is an error."""
    try:
        return kind_of(path) == "file"
    except FileNotFoundError:
        return False


def read_file_tree(path: str, *, home: str, name: str | None = None) -> LocalTree:
    """One file as a tree, under its own name or another."""
    absolute = os.path.realpath(path)
    name = os.path.basename(path) if name is None else name
    fault = name_fault(name)
    if fault is not None:
        raise Unsupported(f'"{path}" {fault}; rename it')
    return _read_tree([Found(name, absolute, os.stat(absolute))], HashCache(home, absolute))


def read_directory_tree(
    path: str, *, home: str, wanted: Callable[[str], bool] | None = None, ignoring: Ignoring | None = None
) -> LocalTree:
    """The content of a directory as a tree. Links are kept as they are; owner and times are not part of it.

    Raises Unsupported, ChangedWhileRead.
    """
    root = os.path.realpath(path)
    return _read_tree(walk(root, Selection(wanted or (lambda _: True), ignoring)), HashCache(home, root))


# Enough to keep the disk busy.
_READERS = 8


def _read_tree(found: Sequence[Found], cache: HashCache) -> LocalTree:
    known = [_known_entry(one, cache) for one in found]
    unknown = [one for one, entry in zip(found, known) if entry is None]
    if unknown:
        read = iter(in_threads(lambda one: _read_entry(one, cache), unknown, _READERS))
        entries = [entry if entry is not None else next(read) for entry in known]
    else:
        entries = [entry for entry in known if entry is not None]
    new = {one.path for one in unknown}
    files = {
        entry["digest"]: LocalFile(one.absolute, stamp_of(one.stats), one.path in new)
        for one, entry in zip(found, entries)
        if entry["kind"] == "file"
    }
    ordered = sort_entries(entries)
    return LocalTree(tree_digest(ordered), ordered, files, cache.save)


def _known_entry(one: Found, cache: HashCache) -> TreeEntry | None:
    """The entry of what need not be read, which most often is nearly all."""
    mode = one.stats.st_mode
    if stat.S_ISDIR(mode):
        return {"kind": "directory", "path": one.path, "mode": tree_mode(mode)}
    if stat.S_ISFIFO(mode):
        return {"kind": "fifo", "path": one.path, "mode": tree_mode(mode)}
    digest = cache.remembered(one.absolute, stamp_of(one.stats)) if stat.S_ISREG(mode) else None
    return None if digest is None else _file_entry(one, digest)


def _read_entry(one: Found, cache: HashCache) -> TreeEntry:
    mode = one.stats.st_mode
    if stat.S_ISLNK(mode):
        return {"kind": "link", "path": one.path, "target": _target_of(one.absolute)}
    if stat.S_ISREG(mode):
        digest = cache.digest(one.absolute, stamp_of(one.stats))
        # Files of the kernel say that they are empty.
        if one.stats.st_size == 0 and holds_anything(one.absolute):
            raise Unsupported(f'"{one.absolute}" is made as it is read, as what is in /proc and /sys; copy it to a file first')
        return _file_entry(one, digest)
    what = "socket" if stat.S_ISSOCK(mode) else "device"
    raise Unsupported(f'"{one.absolute}" is a {what}, which an image cannot hold; leave it out')


def _file_entry(one: Found, digest: str) -> TreeEntry:
    return {"kind": "file", "path": one.path, "mode": tree_mode(one.stats.st_mode), "size": one.stats.st_size, "digest": digest}


def _target_of(link: str) -> str:
    target = os.fsencode(os.readlink(link))
    try:
        return target.decode()
    except UnicodeDecodeError as error:
        raise Unsupported(f'the link "{link}" has a target that is not UTF-8; leave it out') from error
