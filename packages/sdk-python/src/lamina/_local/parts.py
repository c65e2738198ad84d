"""Several local files and directories as one tree."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from .._tree import TreeEntry, sort_entries, tree_digest
from .ignore import Ignoring
from .problem import LocalPath, Unsupported, about_path
from .tree import LocalTree, kind_of, read_directory_tree, read_file_tree


@dataclass(frozen=True)
class TreePart:
    """A local file or directory, and the path in the tree that it gets."""

    path: LocalPath
    place: str
    """Relative, in its normal form. A directory is all that is in it, under this path, which may be `.`."""
    ignoring: Ignoring | None = None
    """Of a directory: what is as if it were not there."""


def read_parts(parts: Sequence[TreePart], *, home: str) -> LocalTree:
    """Read the parts into one tree. The directories that hold them have the mode 0755.

    Raises Unsupported with the path of the part as it was given, and where two parts would be at one path.
    """
    trees = [_read_part(part, home) for part in parts]
    entries: dict[str, tuple[TreeEntry, str]] = {}
    for part, tree in zip(parts, trees):
        for entry in tree.entries:
            other = entries.get(entry["path"])
            if other is None:
                entries[entry["path"]] = (entry, part.path.given)
            elif entry["kind"] != "directory" or other[0]["kind"] != "directory":
                raise _collision(entry["path"], part.path.given, other[1])
    for entry, given in list(entries.values()):
        for path in _directories_above(entry["path"]):
            above, owner = entries.setdefault(path, (_directory(path), given))
            if above["kind"] != "directory":
                raise _collision(path, given, owner)
    ordered = sort_entries(entry for entry, _ in entries.values())
    files = {digest: file for tree in trees for digest, file in tree.files.items()}

    def remember() -> None:
        # One after the other, since parts may share what remembers their digests.
        for tree in trees:
            tree.remember()

    return LocalTree(tree_digest(ordered), ordered, files, remember)


def _read_part(part: TreePart, home: str) -> LocalTree:
    """A part as a tree of its own, its entries at their paths in the whole."""
    given, path = part.path.given, part.path.path
    with about_path(part.path):
        kind = kind_of(path)
        if kind == "file" and part.place == ".":
            raise Unsupported(f'"{given}" is a file, and needs a name in place of "."')
        if kind == "other":
            raise Unsupported(f'"{given}" is not a file or a directory')
        if kind == "file":
            directory, name = posixpath.split(part.place)
            return _under(directory or ".", read_file_tree(path, home=home, name=name))
        tree = _under(part.place, read_directory_tree(path, home=home, ignoring=part.ignoring))
        return tree if part.place == "." else replace(tree, entries=[_directory(part.place), *tree.entries])


def _under(directory: str, tree: LocalTree) -> LocalTree:
    if directory == ".":
        return tree
    return replace(tree, entries=[cast(TreeEntry, {**entry, "path": f"{directory}/{entry['path']}"}) for entry in tree.entries])


def _directory(path: str) -> TreeEntry:
    return {"kind": "directory", "path": path, "mode": 0o755}


def _collision(path: str, given: str, other: str) -> Unsupported:
    return Unsupported(f'"{given}" and "{other}" would both be at "{path}"; give them different places')


def _directories_above(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))
