"""Apps for the moment: they are there while a process says so."""

from __future__ import annotations

import asyncio
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .._errors import LaminaError, invalid_input
from .._ids import new_id
from .._progress import Progress, output_line, wants_colors
from .._results import Event
from .._synchronize import run
from .definition import AppState

if TYPE_CHECKING:
    from .._client import Client

# Thrice before the platform takes the app for left behind.
_KEEP_SECONDS = 20
OnLog = Callable[[Mapping[str, Any]], None]
OnEvent = Callable[[Event, str], None]


def say_log(batch: Mapping[str, Any]) -> None:
    """What functions wrote, line by line."""
    colored = wants_colors(os.environ, is_terminal=sys.stderr.isatty())
    for line in batch["lines"]:
        sys.stderr.write(f"{output_line(line, colored=colored)}\n")
    sys.stderr.flush()


def say_builds() -> OnEvent:
    """What happens to images, on stderr."""
    builds: dict[str, Progress] = {}
    return lambda event, name: builds.setdefault(name, Progress(name, brief=True))(event)


@contextmanager
def enable_output() -> Iterator[None]:
    """For code that asks for it: what happens is said anyhow, unless `app.run(show_progress=False)`."""
    yield


class Session:
    """An app for the moment, with its logs."""

    def __init__(self, client: Client, app: AppState, one: str, on_log: OnLog) -> None:
        """Use `start_session`."""
        self._client = client
        self._app = app
        self.id = one
        self._on_log = on_log
        self._cursor: str | None = None
        self._tasks = [asyncio.ensure_future(self._keep()), asyncio.ensure_future(self._show_logs(ends_now=False))]

    async def stop(self) -> None:
        """Show the rest of its logs, and end its calls and containers."""
        self._app.session = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._show_logs(ends_now=True)
        finally:
            await self._client.mutation("apps.stop", {"app": self.id})
            await self._client.close()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_SECONDS)
            try:
                await self._client.mutation("apps.keep", {"app": self.id})
            except LaminaError as error:
                what = f"The platform cannot be told that the app {self._app.name} is wanted still, and may end it"
                warnings.warn(f"{what}: {error.message}", stacklevel=1)

    async def _show_logs(self, *, ends_now: bool) -> None:
        given = {"of": {"kind": "app", "app": self.id}, "follow": not ends_now}
        async with aclosing(self._client.events("calls.logs", given, after=self._cursor, ends_now=ends_now)) as events:
            async for one in events:
                self._cursor = one.cursor
                self._on_log(one.event)


async def start_session(app: AppState, on_event: OnEvent, on_log: OnLog, *, apart: bool) -> Session:
    """Deploy an app for the moment; calls of its functions go there until it is stopped. INVALID_INPUT when it runs already."""
    if app.session is not None:
        raise invalid_input(f"The app {app.name} runs already: end that session first", None)
    # Only here, since they take more than the standard library.
    from .._client import connect
    from .deploy import deploy_app

    client = connect()
    one = app.session = new_id()
    try:
        await deploy_app(client, app, ephemeral=one, on_event=on_event, apart=apart)
    except BaseException:
        app.session = None
        await client.close()
        raise
    return Session(client, app, one, on_log)


class AppRun:
    """An app for the moment as a context, for `with` and `async with`."""

    def __init__(self, app: AppState, *, on_event: OnEvent, on_log: OnLog, apart: bool) -> None:
        """Nothing is sent before it is entered."""
        self._start: Callable[[], Any] = lambda: start_session(app, on_event, on_log, apart=apart)
        self._session: Session | None = None

    def __enter__(self) -> Session:
        """Have the app."""
        self._session = run(self._start())
        return self._session

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End it."""
        if self._session is not None:
            run(self._session.stop())

    async def __aenter__(self) -> Session:
        """Have the app."""
        self._session = await self._start()
        return self._session

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End it."""
        if self._session is not None:
            await self._session.stop()
