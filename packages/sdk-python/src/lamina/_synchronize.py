"""Gives a coroutine method a form that waits, beside the one to await: `image.build()` and `await image.build.aio()`.

The forms that wait run in one event loop, in a thread of the SDK's own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from ._errors import LaminaError

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


class Synchronized(Generic[P, R]):
    """A coroutine function in both forms."""

    def __init__(self, function: Callable[P, Coroutine[Any, Any, R]]) -> None:
        """Keep the function, with its documentation."""
        self._function = function
        self.__doc__ = function.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Wait for the result. Ctrl-C cancels the work, and waits until it has ended."""
        return run(self._function(*args, **kwargs))

    def aio(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        """The same to be awaited, in the event loop of the caller."""
        return self._function(*args, **kwargs)


class synchronized(Generic[S, P, R]):  # noqa: N801 - it is used as a decorator
    """A coroutine method in both forms."""

    def __init__(self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]]) -> None:
        """Keep the method, with its documentation."""
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, instance: S, owner: type[S] | None = None) -> Synchronized[P, R]:
        """Both forms, of this object."""
        method = self._method

        def bound(*args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
            return method(instance, *args, **kwargs)

        bound.__doc__ = method.__doc__
        return Synchronized(bound)


class SynchronizedGenerator(Generic[P, R]):
    """A function that gives an asynchronous generator, in both forms."""

    def __init__(self, function: Callable[P, AsyncGenerator[R, None]]) -> None:
        """Keep the function, with its documentation."""
        self._function = function
        self.__doc__ = function.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Generator[R, None, None]:
        """The same items, each waited for."""
        # Here, so that wrong arguments are refused where they are given.
        return _waited(self._function(*args, **kwargs))

    def aio(self, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[R, None]:
        """The same for `async for`, in the event loop of the caller."""
        return self._function(*args, **kwargs)


class synchronized_generator(Generic[S, P, R]):  # noqa: N801 - it is used as a decorator
    """A method that gives an asynchronous generator, in both forms."""

    def __init__(self, method: Callable[Concatenate[S, P], AsyncGenerator[R, None]]) -> None:
        """Keep the method, with its documentation."""
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, instance: S, owner: type[S] | None = None) -> SynchronizedGenerator[P, R]:
        """Both forms, of this object."""
        method = self._method

        def bound(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[R, None]:
            return method(instance, *args, **kwargs)

        bound.__doc__ = method.__doc__
        return SynchronizedGenerator(bound)


_END: Any = object()


def _waited(items: AsyncGenerator[R, None]) -> Generator[R, None, None]:
    async def following() -> R:
        return await anext(items, _END)

    try:
        while (item := run(following())) is not _END:
            yield item
    finally:
        run(_closed(items))


async def _closed(items: AsyncGenerator[Any, None]) -> None:
    await items.aclose()


_LONGEST_WAIT = 0.5
"""Seconds. A Ctrl-C that comes right before the interpreter begins to wait is seen only after that wait."""


def run(coroutine: Coroutine[Any, Any, R]) -> R:
    """Run a coroutine in the SDK's event loop, and wait for it."""
    loop = _Loop.running()
    if threading.current_thread() is loop.thread:
        coroutine.close()
        raise RuntimeError("this form waits, and so cannot be called from what the SDK calls; await the form .aio there")
    result: Future[R] = Future()
    task: list[asyncio.Task[R]] = []

    def start() -> None:
        task.append(loop.loop.create_task(coroutine))
        task[0].add_done_callback(lambda done: _pass_on(done, result))

    loop.loop.call_soon_threadsafe(start)
    try:
        while not result.done():
            wait([result], _LONGEST_WAIT)
        return result.result()
    except KeyboardInterrupt:
        loop.loop.call_soon_threadsafe(lambda: task[0].cancel())
        wait([result])
        raise


def _pass_on(done: asyncio.Task[R], result: Future[R]) -> None:
    if done.cancelled():
        result.set_exception(LaminaError("CANCELLED", "It was cancelled."))
        return
    error = done.exception()
    if error is None:
        result.set_result(done.result())
    else:
        result.set_exception(error)


class _Loop:
    """The event loop and its thread. A process that was forked off has a copy without a thread, and makes its own."""

    _lock = threading.Lock()
    _current: _Loop | None = None

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        # It ends with the process: what waits for it is never the last to end.
        self.thread = threading.Thread(target=self._go_on, name="lamina", daemon=True)
        self.thread.start()

    def _go_on(self) -> None:
        """Go on for ever. asyncio ends a loop when a task raises what ends programs, though the task keeps it for whoever waits."""
        while True:
            with suppress(SystemExit, KeyboardInterrupt):
                self.loop.run_forever()

    @classmethod
    def running(cls) -> _Loop:
        with cls._lock:
            if cls._current is None or cls._current.pid != os.getpid():
                cls._current = _Loop()
            return cls._current


def _forget_lock() -> None:
    """It may have been held by a thread that the fork left behind."""
    _Loop._lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)
