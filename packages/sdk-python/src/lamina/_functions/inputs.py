"""Inputs of many calls: as many as are at hand at a time, so that none waits for a slower one."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

# Nobody notices that an input waits so long for the next.
_AT_HAND_SECONDS = 0.005
# What is iterated over by these runs no code of users, and so holds up nothing.
_PLAIN = (list, tuple, range, str, bytes, dict, set, frozenset)

Given = Iterable[Any] | AsyncIterable[Any]


class Inputs(ABC):
    """Something to iterate over, by parts."""

    @abstractmethod
    async def take(self, most: int) -> Sequence[Any]:
        """The next inputs, at least one; none at the end."""

    async def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Take no more."""


def inputs_of(given: Given) -> Inputs:
    """How to take from it."""
    if isinstance(given, AsyncIterable):
        return _AsyncInputs(given)
    return _PlainInputs(given) if isinstance(given, _PLAIN) else _ThreadInputs(given)


class _PlainInputs(Inputs):
    def __init__(self, given: Iterable[Any]) -> None:
        self._iterator = iter(given)

    async def take(self, most: int) -> Sequence[Any]:
        return list(islice(self._iterator, most))


class _ThreadInputs(Inputs):
    """By another thread, since the next one may take any time, and may itself call functions."""

    def __init__(self, given: Iterable[Any]) -> None:
        self._iterator: Iterator[Any] = iter(given)
        self._failure: BaseException | None = None

    async def take(self, most: int) -> Sequence[Any]:
        return await asyncio.to_thread(self._pull, most)

    def _pull(self, most: int) -> Sequence[Any]:
        if self._failure is not None:
            raise self._failure
        until = time.monotonic() + _AT_HAND_SECONDS
        batch: list[Any] = []
        try:
            for one in islice(self._iterator, most):
                batch.append(one)
                if time.monotonic() > until:
                    break
        except Exception as error:
            if not batch:
                raise
            self._failure = error
        return batch


class _AsyncInputs(Inputs):
    def __init__(self, given: AsyncIterable[Any]) -> None:
        self._iterator: AsyncIterator[Any] = aiter(given)
        self._coming: asyncio.Future[Any] | None = None

    async def take(self, most: int) -> Sequence[Any]:
        batch: list[Any] = []
        while len(batch) < most:
            # One that is not there in time is taken the next time: cancelling it would end the iterator.
            self._coming = self._coming or asyncio.ensure_future(anext(self._iterator, _END))
            await asyncio.wait([self._coming], timeout=_AT_HAND_SECONDS if batch else None)
            if not self._coming.done() or (batch and (self._coming.exception() is not None or self._coming.result() is _END)):
                break
            one = self._coming.result()
            if one is _END:
                break
            self._coming = None
            batch.append(one)
        return batch

    async def close(self) -> None:
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.gather(self._coming, return_exceptions=True)


_END = object()
