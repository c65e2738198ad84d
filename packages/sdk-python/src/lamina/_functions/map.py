"""Many calls of one function: inputs are sent as they come, so many at once, and results are given as they are there."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._ids import new_id
from .._values.transfer import send_input
from .call import WAIT_MS, End, cancel_calls, result_of, start_calls
from .inputs import Given, Inputs, inputs_of
from .target import Target, shared_client

if TYPE_CHECKING:
    from .._client import Client

# Calls in one request; as many as are at hand.
_BATCH = 1_000
# Calls that were started are asked about after so long at most, though others are being waited for.
_JOIN_SECONDS = 0.02
# A question names every call: where that are many, more of them have ended when it is answered a moment later.
_GATHER_MS_A_CALL = 0.05
# A platform that does not answer is not waited for when a map is left.
_START_SECONDS = 10
MOST_AT_ONCE = 1_000
"""The most calls of one map that have begun and whose results nobody has taken yet."""


@dataclass(frozen=True)
class MapOptions:
    """How a map goes on."""

    ordered: bool = True
    return_exceptions: bool = False
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Beside the arguments of each."""


async def map_calls(
    target: Target, given: Given, args_of: Callable[[Any], Sequence[Any]], options: MapOptions
) -> AsyncGenerator[Any, None]:
    """Results of one call for each input. Whoever leaves the loop cancels what has not ended."""
    client = shared_client()
    calls = _CallsInFlight(client, target, inputs_of(given), args_of, options.kwargs)
    early: dict[int, End] = {}
    following = 0
    try:
        while (one := await calls.next_ended()) is not None:
            index, end = one
            if not options.ordered:
                calls.taken()
                yield await _result(client, end, options)
                continue
            early[index] = end
            while following in early:
                head = early.pop(following)
                following += 1
                calls.taken()
                yield await _result(client, head, options)
    finally:
        await calls.stop()


async def _result(client: Client, end: End, options: MapOptions) -> Any:
    try:
        return await result_of(client, end)
    except Exception as error:
        if options.return_exceptions:
            return error
        raise


class _CallsInFlight:
    """The calls that were started and whose results were not taken, of which there are never more than MOST_AT_ONCE."""

    def __init__(
        self, client: Client, target: Target, inputs: Inputs, args_of: Callable[[Any], Sequence[Any]], kwargs: Mapping[str, Any]
    ) -> None:
        self._client = client
        self._target = target
        self._inputs = inputs
        self._args_of = args_of
        self._kwargs = kwargs
        # Not ended, as far as is known.
        self._running: dict[str, int] = {}
        self._starting: asyncio.Future[None] | None = None
        self._ended: deque[tuple[int, End]] = deque()
        self._untaken = 0
        self._is_exhausted = False
        self._failure: BaseException | None = None
        # Set by whatever may let one of the loops go on.
        self._change = asyncio.Event()
        self._asking: asyncio.Future[Any] | None = None
        self._tasks = [asyncio.ensure_future(self._guard(loop())) for loop in (self._produce, self._wait)]

    async def next_ended(self) -> tuple[int, End] | None:
        """The index and the end of the next call that ended; None when all have. Raises what a loop raised."""
        while not self._ended:
            if self._failure is not None:
                raise self._failure
            if self._is_exhausted and not self._running:
                return None
            await self._changed()
        return self._ended.popleft()

    def taken(self) -> None:
        """Say that a result leaves, so that another call may begin."""
        self._untaken -= 1
        self._tell()

    async def stop(self) -> None:
        """Cancel what has not ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._inputs.close()
        if self._starting is not None:
            await asyncio.wait([self._starting], timeout=_START_SECONDS)
        running = list(self._running)
        for start in range(0, len(running), MOST_AT_ONCE):
            await cancel_calls(self._client, running[start : start + MOST_AT_ONCE])

    async def _produce(self) -> None:
        notation = await self._target.notation(self._client)
        index = 0
        while True:
            while self._untaken >= MOST_AT_ONCE:
                await self._changed()
            batch = await self._inputs.take(min(_BATCH, MOST_AT_ONCE - self._untaken))
            if not batch:
                break
            self._untaken += len(batch)
            sent = await asyncio.gather(*(send_input(self._client, notation, self._args_of(one), self._kwargs) for one in batch))
            ids = [new_id() for _ in sent]
            calls = [{"id": one, "input": given} for one, given in zip(ids, sent)]
            self._starting = asyncio.ensure_future(self._start(calls, index))
            self._starting.add_done_callback(lambda done: done.cancelled() or done.exception())
            # Whoever stops lets it end, so that what it starts can be cancelled.
            await asyncio.shield(self._starting)
            index += len(ids)
            if self._asking is not None:
                # A question that is on its way knows nothing of these.
                asyncio.get_running_loop().call_later(_JOIN_SECONDS, self._asking.cancel)
            self._tell()
        self._is_exhausted = True
        self._tell()

    async def _start(self, calls: Sequence[Mapping[str, Any]], index: int) -> None:
        ended = await start_calls(self._client, self._target, calls)
        # Not before, since the platform is asked about these, and has to know them.
        self._running.update((one["id"], number) for number, one in enumerate(calls, index))
        self._collect(ended)

    async def _wait(self) -> None:
        while not (self._is_exhausted and not self._running):
            if not self._running:
                await self._changed()
                continue
            ids = list(self._running)
            patience = {"waitMs": WAIT_MS, "gatherMs": int(len(ids) * _GATHER_MS_A_CALL)}
            asking = self._asking = asyncio.ensure_future(self._client.mutation("calls.wait", {"ids": ids, **patience}))
            try:
                await asyncio.wait([asking])
            finally:
                self._asking = None
                if not asking.done():
                    asking.cancel()
            if not asking.cancelled():
                self._collect(asking.result())

    def _collect(self, ended: Sequence[Any]) -> None:
        for one in ended:
            index = self._running.pop(one["id"], None)
            if index is not None:
                self._ended.append((index, one["end"]))
        if ended:
            self._tell()

    async def _guard(self, loop: Coroutine[Any, Any, None]) -> None:
        try:
            await loop
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            # Also what ends programs, when the inputs raise it: whoever takes the results has to hear of it.
            self._failure = self._failure or error
            self._tell()

    async def _changed(self) -> None:
        await self._change.wait()

    def _tell(self) -> None:
        """Wake all that wait, and have the next ones wait again."""
        self._change.set()
        self._change = asyncio.Event()
