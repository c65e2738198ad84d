"""Follows a feed of events to its end, over connections that come and go."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from ._errors import LaminaError

_PATIENCE_SECONDS = 60
# A connection that stood so long was a good one.
_STEADY_SECONDS = 10
_PAUSE_SECONDS = 0.25
# What a platform may answer while it, or something below it, starts again.
_MAY_PASS = frozenset(["UNREACHABLE", "INTERNAL", "REGISTRY_UNAVAILABLE"])
_REMEMBERED = 10_000


@dataclass(frozen=True)
class FeedEvent:
    """An event, with the cursor behind it."""

    cursor: str
    event: Any


@dataclass(frozen=True)
class Feed:
    """How a feed is followed."""

    open: Callable[[str | None], AsyncGenerator[FeedEvent, None]]
    """Opens a connection that gives the events after a cursor, to the end that the platform makes."""
    probe: Callable[[], Awaitable[object]]
    """Raises what keeps us from the platform, if anything does."""
    is_last: Callable[[Any], bool]
    ends_now: bool
    """Whether the platform ends it with what is there, before its last event."""


async def follow(feed: Feed, after: str | None) -> AsyncGenerator[Any, None]:
    """The events of `follow_events`, without their cursors."""
    async with aclosing(follow_events(feed, after)) as events:
        async for one in events:
            yield one.event


async def follow_events(feed: Feed, after: str | None) -> AsyncGenerator[FeedEvent, None]:
    """Each event once, in order, up to the last one; where the feed ends now, up to what is there.

    A connection that breaks is made again from the last cursor, unless that fails for more than a minute. Raises what the
    platform answers; UNREACHABLE.
    """
    seen: OrderedDict[str, None] = OrderedDict()
    cursor = after
    failing_since: float | None = None
    empty_ends = 0
    while True:
        opened_at = time.monotonic()
        try:
            async with aclosing(feed.open(cursor)) as connection:
                async for one in connection:
                    failing_since, empty_ends, cursor = None, -1, one.cursor
                    if one.cursor in seen:
                        continue
                    seen[one.cursor] = None
                    if len(seen) > _REMEMBERED:
                        seen.popitem(last=False)
                    yield one
                    if feed.is_last(one.event):
                        return
        except LaminaError as error:
            empty_ends = 0
            now = time.monotonic()
            if now - opened_at > _STEADY_SECONDS or failing_since is None:
                failing_since = now
            problem = await _reason_of(error, feed)
            if problem.code not in _MAY_PASS or now - failing_since > _PATIENCE_SECONDS:
                raise problem from error
        else:
            # The platform stopped in good order, or has nothing after the cursor: then it says so again.
            empty_ends += 1
            if feed.ends_now or empty_ends == 2:
                return
        await asyncio.sleep(_PAUSE_SECONDS)


async def _reason_of(error: LaminaError, feed: Feed) -> LaminaError:
    """What broke a connection does not tell why there is none; an ordinary call does."""
    if error.code != "UNREACHABLE":
        return error
    try:
        await feed.probe()
    except LaminaError as reason:
        return reason
    return error
