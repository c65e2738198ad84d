"""Sends the local files that a platform lacks: packs in parallel, then the trees that they make up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._client import Client
from .._errors import LaminaError
from .._local.problem import ChangedWhileRead
from .._local.tree import LocalFile
from .._snapshot import SnapshotTree, about_change
from .missing_files import MissingFile, missing_among
from .pack import group_files, pack_of, pack_size

OnEvent = Callable[[Mapping[str, Any]], None]

_TRIES = 3
_PARALLEL_PACKS = 4
# Up to this size a pack is sent whole.
_SMALL_BYTES = 1024 * 1024
# A report for each such part of the whole is enough for people.
_REPORTS = 200


async def upload(client: Client, trees: Sequence[SnapshotTree], on_event: OnEvent) -> None:
    """Send what is missing of these trees, each file once, and have the trees kept.

    When the platform goes away in the middle, what is missing then is sent when it is back. INVALID_INPUT when a file
    changed since it was looked at.
    """
    files = {digest: file for one in trees for digest, file in one.tree.files.items()}
    for tries in range(1, _TRIES + 1):
        try:
            return await _send_missing(client, trees, files, on_event)
        except LaminaError as error:
            if error.code != "UNREACHABLE" or tries == _TRIES:
                raise
    return None


async def upload_changes(client: Client, trees: Sequence[SnapshotTree], on_event: OnEvent) -> None:
    """The same for trees of which little is new, without asking about the rest.

    It does no harm when the platform lacks more, which shows when the trees are used.
    """
    files = {digest: file for one in trees for digest, file in one.tree.files.items() if file.is_new}
    try:
        await _send_missing(client, trees, files, on_event)
    except LaminaError as error:
        if error.code != "CONTEXT_MISSING":
            raise


async def _send_missing(client: Client, trees: Sequence[SnapshotTree], files: Mapping[str, LocalFile], on_event: OnEvent) -> None:
    missing = await missing_among(client, files)
    on_read = _progress_reporter(missing, on_event)
    places = asyncio.Semaphore(_PARALLEL_PACKS)

    async def send(pack: Sequence[MissingFile]) -> None:
        async with places:
            await _send_pack(client, pack, on_read)

    sending = [asyncio.create_task(send(pack)) for pack in group_files(missing)]
    try:
        await asyncio.gather(*sending)
    except ChangedWhileRead as error:
        raise about_change(error, trees) from error
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
    for one in trees:
        await client.mutation("contexts.commitTree", {"entries": list(one.tree.entries)})


async def _send_pack(client: Client, pack: Sequence[MissingFile], on_read: Callable[[int], None]) -> None:
    body = pack_of(pack, on_read)
    if pack_size(pack) > _SMALL_BYTES:
        await client.send_pack(body)
    else:
        await client.send_pack(b"".join([chunk async for chunk in body]))


def _progress_reporter(missing: Sequence[MissingFile], on_event: OnEvent) -> Callable[[int], None]:
    total = pack_size(missing)
    sent = reported = 0

    def on_read(read: int) -> None:
        nonlocal sent, reported
        sent += read
        if read == 0 or (sent < total and sent - reported < total / _REPORTS):
            return
        reported = sent
        on_event({"type": "upload", "bytes": sent, "total": total})

    return on_read
