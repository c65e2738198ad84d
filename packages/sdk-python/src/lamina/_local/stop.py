"""Ends the reading of local files, which goes on in other threads, when nobody waits for it any more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_stop: ContextVar[threading.Event | None] = ContextVar("stop", default=None)


class Stopped(Exception):
    """Raised where reading is ended; nobody sees it."""


@contextmanager
def stoppable() -> Iterator[None]:
    """What is read in threads that are begun in here ends with it."""
    event = threading.Event()
    token = _stop.set(event)
    try:
        yield
    finally:
        event.set()
        _stop.reset(token)


def check_stopped() -> None:
    """Raise Stopped when nobody waits any more. To be called often."""
    event = _stop.get()
    if event is not None and event.is_set():
        raise Stopped


def in_threads(work: Callable[[Item], Result], items: Iterable[Item], count: int) -> list[Result]:
    """The results of some work on each item, in so many threads that end where this one does."""
    with ThreadPoolExecutor(count) as threads:
        done = [threads.submit(copy_context().run, work, item) for item in items]
        return [one.result() for one in done]
