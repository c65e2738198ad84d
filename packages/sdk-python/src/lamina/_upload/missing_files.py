"""Which local files a platform lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._client import Client
from .._local.tree import LocalFile, LocalTree

_FILES_A_QUESTION = 5_000

MissingFile = tuple[str, LocalFile]
"""A file that a platform lacks, with its digest in front."""


async def missing_files_of(client: Client, trees: Iterable[LocalTree]) -> list[MissingFile]:
    """Of the files of these trees, those that the platform lacks."""
    return await missing_among(client, {digest: file for tree in trees for digest, file in tree.files.items()})


async def missing_among(client: Client, files: Mapping[str, LocalFile]) -> list[MissingFile]:
    """Of these files, those that the platform lacks."""
    digests = list(files)
    missing: list[str] = []
    for start in range(0, len(digests), _FILES_A_QUESTION):
        missing += await client.mutation("contexts.missingFiles", {"files": digests[start : start + _FILES_A_QUESTION]})
    return [(digest, files[digest]) for digest in missing if digest in files]
