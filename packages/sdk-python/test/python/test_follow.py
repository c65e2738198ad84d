"""How a feed is read and followed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from lamina import LaminaError
from lamina._follow import Feed, FeedEvent, follow
from lamina._sse import ServerEvent, server_events

_STREAM = (
    b"event: connected\ndata: {}\n\n\n"
    b'data: {"type":"log","line":"\xc3\xa9"}\nid: 1:2\n\n\n'
    b": a comment\n\n"
    b"event: ping\ndata: \n\n\n"
    b"data: one\r\ndata: two\r\nid: 3\r\n\r\n"
    b"event: return\ndata: \n\n\n"
    b"data: cut off"
)
_EVENTS = [
    ServerEvent("connected", "{}", ""),
    ServerEvent("message", '{"type":"log","line":"é"}', "1:2"),
    ServerEvent("ping", "", "1:2"),
    ServerEvent("message", "one\ntwo", "3"),
    ServerEvent("return", "", "3"),
]


@pytest.mark.parametrize("seed", range(20))
def test_a_stream_is_the_same_events_wherever_it_is_cut_into_chunks(seed: int) -> None:
    chance = random.Random(seed)
    cuts = sorted(chance.sample(range(len(_STREAM)), chance.randint(0, 30)))

    async def chunks() -> AsyncIterator[bytes]:
        for start, end in zip([0, *cuts], [*cuts, len(_STREAM)]):
            yield _STREAM[start:end]

    async def events() -> list[ServerEvent]:
        return [event async for event in server_events(chunks())]

    assert asyncio.run(events()) == _EVENTS


class Connections:
    """A feed of numbers up to the last, over connections that go on from a cursor and break as they are told to."""

    def __init__(self, *breaks: int | LaminaError | None, last: int = 9) -> None:
        self.breaks = list(breaks)
        self.asked: list[str | None] = []
        self.last = last

    async def open(self, after: str | None) -> AsyncGenerator[FeedEvent, None]:
        self.asked.append(after)
        how = self.breaks.pop(0) if self.breaks else None
        if isinstance(how, LaminaError):
            raise how
        # Like a platform that was told of the cursor before the last: one event comes twice.
        for number in range(max(0, int(after or 0) - 1), self.last + 1):
            if number == how:
                raise LaminaError("UNREACHABLE", "The connection was closed.")
            yield FeedEvent(str(number), number)

    async def follow(self, *, ends_now: bool = False) -> list[Any]:
        async def probe() -> None:
            pass

        feed = Feed(open=self.open, probe=probe, is_last=lambda number: number == 9, ends_now=ends_now)
        return [event async for event in follow(feed, None)]


def test_each_event_comes_once_over_connections_that_break() -> None:
    connections = Connections(3, 3, 7)
    assert asyncio.run(connections.follow()) == list(range(10))
    assert connections.asked == [None, "2", "2", "6"]


def test_what_the_platform_answers_is_raised_and_what_may_pass_is_not() -> None:
    again = Connections(LaminaError("INTERNAL", "It starts."), LaminaError("REGISTRY_UNAVAILABLE", "It starts too."))
    assert asyncio.run(again.follow()) == list(range(10))
    with pytest.raises(LaminaError) as caught:
        asyncio.run(Connections(2, LaminaError("NOT_FOUND", "There is no such build.")).follow())
    assert caught.value.code == "NOT_FOUND"


def test_a_feed_that_ends_now_ends_with_its_connection_and_another_only_when_nothing_comes_twice() -> None:
    assert asyncio.run(Connections(last=4).follow(ends_now=True)) == [0, 1, 2, 3, 4]

    class Ended(Connections):
        async def open(self, after: str | None) -> AsyncGenerator[FeedEvent, None]:
            self.asked.append(after)
            if after is None:
                yield FeedEvent("0", 0)

    ended = Ended()
    assert asyncio.run(ended.follow()) == [0]
    assert ended.asked == [None, "0", "0"]
