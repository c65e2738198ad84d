"""Calls: starting one, waiting for its end, and what is left of it."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._arguments import Call
from .._errors import CallTimeoutError, LaminaError
from .._ids import new_id
from .._source import call_site
from .._synchronize import run, synchronized
from .._values.transfer import receive_value, send_input
from .exception import exception_of
from .target import Target, shared_client

if TYPE_CHECKING:
    from .._client import Client

R = TypeVar("R")

WAIT_MS = 20_000
"""The longest that one question waits for an answer."""
_CANCEL_SECONDS = 10
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

End = Mapping[str, Any]


class FunctionCall(Generic[R]):
    """A call that was started, by this process or another."""

    def __init__(self, object_id: str) -> None:
        """Use `Function.spawn` or `FunctionCall.from_id`."""
        self._id = object_id

    @property
    def object_id(self) -> str:
        """Its id, by which any process finds it."""
        return self._id

    def __repr__(self) -> str:
        """The id."""
        return f"FunctionCall({self._id!r})"

    @staticmethod
    def from_id(object_id: str) -> FunctionCall[Any]:
        """A call by the id that another process has of it."""
        if not isinstance(object_id, str) or not _ID.fullmatch(object_id):
            raise Call("FunctionCall.from_id", call_site()).refuse(f"{object_id!r} is no id of a call")
        return FunctionCall(object_id)

    @staticmethod
    def gather(*calls: FunctionCall[Any]) -> list[Any]:
        """What several calls give, as soon as all have ended; the first that fails raises what it raised."""
        return run(_gathered(calls))

    @synchronized
    async def get(self, timeout: float | None = None) -> R:
        """What the call gives, as soon as it has ended.

        Raises what the function raised; LaminaError for why the platform ended it; CallTimeoutError when it has not ended
        in so many seconds, and goes on.
        """
        client = shared_client()
        end = await _end_of(client, self._id, timeout)
        if end is None:
            raise CallTimeoutError("CALL_TIMED_OUT", f"The call {self._id} has not ended within {timeout} seconds. It goes on.")
        result: R = await result_of(client, end)
        return result

    @synchronized
    async def cancel(self) -> None:
        """End the call, if it has not ended."""
        await shared_client().mutation("calls.cancel", {"ids": [self._id]})


async def _gathered(calls: Sequence[FunctionCall[Any]]) -> list[Any]:
    getting = [asyncio.ensure_future(one.get.aio()) for one in calls]
    try:
        return list(await asyncio.gather(*getting))
    except BaseException:
        for one in getting:
            one.cancel()
        await asyncio.gather(*getting, return_exceptions=True)
        raise


async def call_now(
    target: Target, args: Sequence[Any], kwargs: Mapping[str, Any], *, on_start: Callable[[str], None] = lambda _: None
) -> Any:
    """Start a call and give what comes of it: one request, where it ends in a moment. Whoever stops waiting ends the call.

    `on_start` hears of its id before it is sent.
    """
    client = shared_client()
    given = await send_input(client, await target.notation(client), args, kwargs)
    one = new_id()
    on_start(one)
    try:
        ended = await start_calls(client, target, [{"id": one, "input": given}], wait_ms=WAIT_MS)
        end = ended[0]["end"] if ended else await _end_of(client, one, None)
    except asyncio.CancelledError:
        await cancel_calls(client, [one])
        raise
    assert end is not None, "a call that is waited for without a limit has an end"
    return await result_of(client, end)


async def spawn_call(target: Target, args: Sequence[Any], kwargs: Mapping[str, Any]) -> FunctionCall[Any]:
    """Start a call, and do not wait for its end."""
    client = shared_client()
    one = new_id()
    given = await send_input(client, await target.notation(client), args, kwargs)
    await start_calls(client, target, [{"id": one, "input": given}])
    return FunctionCall(one)


async def start_calls(client: Client, target: Target, calls: Sequence[Mapping[str, Any]], wait_ms: int = 0) -> Sequence[Mapping[str, Any]]:
    """Start calls, and give those that have ended within that time. NOT_FOUND with what to do about it."""
    method = {} if target.method is None else {"method": target.method}
    given = {"app": target.app(), "function": target.function, **method, "calls": calls, "waitMs": wait_ms}
    try:
        ended: Sequence[Mapping[str, Any]] = await client.start_calls(given)
    except LaminaError as error:
        raise target.explain(error) from error.__cause__
    return ended


async def result_of(client: Client, end: End) -> Any:
    """What the end of a call comes to."""
    if end["state"] == "failed":
        raise await exception_of(client, end["error"])
    if end["state"] == "cancelled":
        raise LaminaError("CANCELLED", "The call was cancelled.")
    return await receive_value(client, end["result"])


async def cancel_calls(client: Client, ids: Sequence[str]) -> None:
    """Cancel calls that nobody waits for any more. A platform that does not answer is not waited for."""
    try:
        await asyncio.wait_for(client.mutation("calls.cancel", {"ids": list(ids)}), _CANCEL_SECONDS)
    except (LaminaError, asyncio.TimeoutError):
        # It may not have been started yet, and ends by its own timeout at the latest.
        return


async def _end_of(client: Client, one: str, seconds: float | None) -> End | None:
    until = math.inf if seconds is None else time.monotonic() + seconds
    while True:
        left = max(0.0, until - time.monotonic())
        wait_ms = min(WAIT_MS, left if left == math.inf else math.ceil(left * 1_000))
        ended = await client.mutation("calls.wait", {"ids": [one], "waitMs": wait_ms})
        if ended:
            end: End = ended[0]["end"]
            return end
        if left == 0:
            return None
