"""Packs: several files in one compressed tar, each named by its digest, made while it is sent."""

from __future__ import annotations

import asyncio
import tarfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

import zstandard

from .._local.digest import chunks_of
from .missing_files import MissingFile

_PACK_BYTES = 32 * 1024 * 1024
# So that many small files also go in parallel.
_PACK_FILES = 10_000
# What is compressed before it is handed on.
_CHUNK = 256 * 1024


def group_files(files: Iterable[MissingFile]) -> list[list[MissingFile]]:
    """Group files into packs of about 32 MiB; a file of that size or more has one to itself."""
    groups: list[list[MissingFile]] = []
    group: list[MissingFile] = []
    size = 0
    for one in files:
        length = one[1].stamp.size
        if length >= _PACK_BYTES:
            groups.append([one])
            continue
        if size + length > _PACK_BYTES or len(group) == _PACK_FILES:
            groups.append(group)
            group, size = [], 0
        group.append(one)
        size += length
    return [*groups, group] if group else groups


def pack_size(files: Iterable[MissingFile]) -> int:
    """Of the files of a pack, before compression, in bytes."""
    return sum(file.stamp.size for _, file in files)


async def pack_of(files: Sequence[MissingFile], on_read: Callable[[int], None]) -> AsyncIterator[bytes]:
    """The compressed tar in chunks, read and compressed in another thread and no faster than it is taken.

    `on_read` hears of the bytes of files as they are read. Raises ChangedWhileRead.
    """
    chunks = _compressed(_tar(files))
    while True:
        chunk, read = await asyncio.to_thread(_next, chunks)
        on_read(read)
        if chunk is None:
            return
        if chunk:
            yield chunk


# Bytes of a tar, and how many of them are content of files.
_Part = tuple[bytes, int]


def _next(chunks: Iterator[_Part]) -> tuple[bytes | None, int]:
    return next(chunks, (None, 0))


def _compressed(parts: Iterator[_Part]) -> Iterator[_Part]:
    """The same compressed, in chunks of a size that is worth handing on."""
    compressor = zstandard.ZstdCompressor().compressobj()
    output, read, taken = bytearray(), 0, 0
    for part, content in parts:
        output += compressor.compress(part)
        read += content
        taken += len(part)
        if taken >= _CHUNK:
            yield bytes(output), read
            output, read, taken = bytearray(), 0, 0
    output += compressor.flush()
    yield bytes(output), read


def _tar(files: Sequence[MissingFile]) -> Iterator[_Part]:
    for digest, file in files:
        entry = tarfile.TarInfo(digest.removeprefix("sha256:"))
        entry.size = file.stamp.size
        yield entry.tobuf(tarfile.PAX_FORMAT), 0
        for chunk in chunks_of(file.path, file.stamp):
            yield chunk, len(chunk)
        yield b"\0" * (-file.stamp.size % tarfile.BLOCKSIZE), 0
    yield b"\0" * (2 * tarfile.BLOCKSIZE), 0
