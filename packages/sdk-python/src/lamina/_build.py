"""Building: the one way from an image to its reference in a registry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from ._client import Client
from ._errors import LaminaError, error_from
from ._ids import new_id
from ._image_secrets import inline_values
from ._image_state import ImageState
from ._layer_results import layers_after
from ._local.tree import LocalTree
from ._plan import ask_for_plan, request_of
from ._results import BuildResult, Event, LayerResult, OnEvent
from ._snapshot import Snapshot, read_snapshot
from ._upload.upload import upload, upload_changes

# Of local files; what may be sent before anything else is known to be right.
_LITTLE_BYTES = 1024 * 1024
_CANCEL_SECONDS = 10


@dataclass(frozen=True)
class BuildOptions:
    """How an image is built."""

    on_event: OnEvent
    name: str | None = None
    pull: bool = False
    sizes: bool = False


async def build_image(client: Client, state: ImageState, options: BuildOptions) -> BuildResult:
    """Have the platform build, send it what it lacks for that, and follow the build to its end.

    When the task is cancelled, the build is cancelled on the platform too. Raises LaminaError for why it failed; CANCELLED.
    """
    snapshot = await read_snapshot(state)
    build = new_id()
    try:
        events = await _start(client, build, state, snapshot, options)
        options.on_event({"type": "build", "build": build})
        # There is time for it while the platform works.
        remembering = asyncio.create_task(asyncio.to_thread(snapshot.remember))
        result = await _follow(client, build, events, options)
        await remembering
        return result
    except asyncio.CancelledError:
        await _cancel(client, build)
        raise


async def _follow(client: Client, build: str, first: Sequence[Mapping[str, Any]], options: BuildOptions) -> BuildResult:
    layers: Sequence[LayerResult] = ()
    async with aclosing(_events_of(client, build, first, options)) as events:
        async for event in events:
            layers = layers_after(layers, event)
            options.on_event(event)
            if event["type"] == "done":
                return BuildResult(event["image"], event["ref"], event["digest"], tuple(layers))
            if event["type"] == "failed":
                raise error_from(event["error"]) or LaminaError("INTERNAL", "The build failed, and the platform does not say why.")
            if event["type"] == "cancelled":
                raise LaminaError("CANCELLED", "The build was cancelled.")
    raise LaminaError("INTERNAL", "The platform ended the events of the build before its last one.")


async def _events_of(client: Client, build: str, first: Sequence[Mapping[str, Any]], options: BuildOptions) -> AsyncGenerator[Event, None]:
    """The events that are known, and those after them."""
    for one in first:
        yield one["event"]
    until = {"until": "published"} if options.sizes else {}
    after = first[-1]["cursor"] if first else None
    async with aclosing(client.subscription("builds.follow", {"id": build, **until}, after=after)) as events:
        async for event in events:
            yield event


async def _start(client: Client, build: str, state: ImageState, snapshot: Snapshot, options: BuildOptions) -> Sequence[Mapping[str, Any]]:
    """Mostly nothing has to be sent, so the platform is asked for the build at once, and what it lacks is sent when it says so."""
    named = {} if options.name is None else {"name": options.name}
    request = {"id": build, **request_of(state, snapshot), **named, "secrets": inline_values(state.secrets)}
    changed = [one for one in snapshot.trees.values() if _is_little_new(one.tree)]
    if changed:
        await upload_changes(client, changed, options.on_event)
    try:
        return await _to_end(_started(client, {**request, "pull": options.pull}))
    except LaminaError as error:
        if error.code != "CONTEXT_MISSING":
            raise
    # What a tag means was asked just now.
    _, trees = await ask_for_plan(client, state, snapshot)
    await upload(client, trees, options.on_event)
    return await _to_end(_started(client, request))


async def _started(client: Client, request: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    events: Sequence[Mapping[str, Any]] = (await client.mutation("builds.start", request))["events"]
    return events


async def _to_end(work: Coroutine[Any, Any, Sequence[Mapping[str, Any]]]) -> Sequence[Mapping[str, Any]]:
    """What was asked for is cancelled only when it is known to be there."""
    task = asyncio.ensure_future(work)
    # What becomes of it is of no interest once nobody waits for it.
    task.add_done_callback(lambda one: None if one.cancelled() else one.exception())
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_CANCEL_SECONDS)
        raise


async def _cancel(client: Client, build: str) -> None:
    """Cancel a build that may not have been asked for yet, or has ended. A platform that does not answer is not waited for."""
    try:
        await asyncio.wait_for(client.mutation("builds.cancel", {"id": build}), _CANCEL_SECONDS)
    except (LaminaError, asyncio.TimeoutError):
        return


def _is_little_new(tree: LocalTree) -> bool:
    """What the platform most likely lacks, and so little that it may be sent before anything else is known to be right."""
    sizes = [file.stamp.size for file in tree.files.values() if file.is_new]
    return bool(sizes) and sum(sizes) <= _LITTLE_BYTES
