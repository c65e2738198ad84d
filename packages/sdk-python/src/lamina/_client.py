"""The client of a platform: tRPC over HTTP with plain JSON. Every failure is a LaminaError.

A client belongs to the event loop that it was made in.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from ._errors import LaminaError, error_from
from ._follow import Feed, FeedEvent, follow, follow_events
from ._platform import PlatformAddress, find_platform
from ._sse import server_events
from ._version_mismatch import explain_mismatch

_RPC_PATH = "/v1/trpc"
_PACK_PATH = "/v1/packs"
_VALUES_PATH = "/v1/values"
_CONNECT_SECONDS = 10
# The platform says every three seconds that it is there.
_SILENT_SECONDS = 10
_INFO_SECONDS = 10
# With the delays between them, about half a minute.
_RETRIES = 32
_LAST_EVENTS = frozenset(["done", "failed", "cancelled", "run-exited", "run-failed"])

Input = Mapping[str, Any]


class NoAnswer(LaminaError):
    """No answer of the platform's: the connection failed, or something else answered in its place."""


class Client:
    """Calls to one platform. Use it with `async with`, or close it."""

    def __init__(self, address: PlatformAddress) -> None:
        """Nothing is sent yet."""
        self.url = address.url.rstrip("/")
        self._has_answered = False
        self._http = httpx.AsyncClient(
            headers={"authorization": f"Bearer {address.token}"},
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
            # Neither proxies nor credentials of other programs.
            trust_env=False,
            verify=ssl.create_default_context() if self.url.startswith("https:") else False,
        )

    async def __aenter__(self) -> Client:
        """The client itself."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """End its connections."""
        await self._http.aclose()

    async def query(self, path: str, given: Input | None = None) -> Any:
        """Ask something, such as `builds.get`; the answer is JSON."""
        return await self._answer(lambda _: self._call("GET", path, given))

    async def mutation(self, path: str, given: Input) -> Any:
        """Have something done, such as `builds.start`. It may come twice, so what must not happen twice carries an id."""
        return await self._answer(lambda _: self._call("POST", path, given))

    async def start_calls(self, given: Input) -> Any:
        """Start calls; where the answer to the first attempt was lost, the next one says so, and starts none a second time."""
        return await self._answer(lambda attempt: self._call("POST", "calls.start", given if attempt == 0 else {**given, "again": True}))

    def subscription(self, path: str, given: Input, *, after: str | None = None, ends_now: bool = False) -> AsyncGenerator[Any, None]:
        """The events of a feed, such as `builds.follow`: each once, in order, up to the last.

        It goes on where it was after the platform was away. `ends_now` says that the call asks for what is there alone.
        """
        return follow(self._feed(path, given, ends_now), after)

    def events(self, path: str, given: Input, *, after: str | None = None, ends_now: bool = False) -> AsyncGenerator[FeedEvent, None]:
        """The same, each event with the cursor behind it."""
        return follow_events(self._feed(path, given, ends_now), after)

    def _feed(self, path: str, given: Input, ends_now: bool) -> Feed:
        return Feed(
            open=lambda cursor: self._open(path, {**given, **({} if cursor is None else {"lastEventId": cursor})}),
            probe=self.info,
            is_last=lambda event: event.get("type") in _LAST_EVENTS,
            ends_now=ends_now,
        )

    async def info(self) -> Mapping[str, Any]:
        """What the platform is. One that is stopped takes the connection, and never answers."""
        try:
            answer: Mapping[str, Any] = await asyncio.wait_for(self.query("platform.info"), _INFO_SECONDS)
        except asyncio.TimeoutError as error:
            raise self._unreachable(f"no answer within {_INFO_SECONDS} seconds") from error
        return answer

    async def send_pack(self, content: bytes | AsyncIterator[bytes]) -> Any:
        """Send a pack of files; what a stream raises is raised here."""
        headers = {"content-type": "application/zstd"}
        try:
            response = await self._http.post(f"{self.url}{_PACK_PATH}", content=content, headers=headers)
        except httpx.HTTPError as error:
            raise self._unreachable(_reason(error)) from error
        if response.is_success:
            return _json(response.content)
        raise _refusal(response, "did not take a pack of files")

    async def put_value(self, data: bytes) -> Any:
        """Keep bytes in the object store, for as long as values of calls are kept; gives `object` and `bytes`."""
        headers = {"content-type": "application/octet-stream"}
        response = await self._answer(lambda _: self._values("POST", _VALUES_PATH, content=data, headers=headers))
        return _json(response.content)

    async def get_value(self, name: str) -> bytes:
        """Bytes that are kept there."""
        response: httpx.Response = await self._answer(lambda _: self._values("GET", f"{_VALUES_PATH}/{quote(name)}"))
        return response.content

    async def _values(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, f"{self.url}{path}", **request)
        except httpx.HTTPError as error:
            raise self._unreachable(_reason(error)) from error
        if response.is_success:
            return response
        raise _refusal(response, "did not take or give a value")

    async def _answer(self, call: Callable[[int], Awaitable[Any]]) -> Any:
        """A platform that was there is given time to come back; one that never answered is not waited for.

        `call` is told which attempt it is, counted from 0.
        """
        for attempt in range(_RETRIES):
            try:
                answer = await call(attempt)
            except NoAnswer:
                if not self._has_answered or attempt == _RETRIES - 1:
                    raise
            except LaminaError as error:
                explained = await explain_mismatch(error, lambda: self._call("GET", "platform.info", None))
                raise explained from error.__cause__
            else:
                self._has_answered = True
                return answer
            await asyncio.sleep(min(0.1 * 2**attempt, 1))
        raise AssertionError("the last attempt raises")

    async def _call(self, method: str, path: str, given: Input | None) -> Any:
        url = f"{self.url}{_RPC_PATH}/{path}"
        body = None if given is None else _dumps(given)
        try:
            if method == "POST":
                response = await self._http.post(url, content=body, headers={"content-type": "application/json"})
            else:
                response = await self._http.get(url if body is None else f"{url}?input={quote(body)}")
        except httpx.HTTPError as error:
            raise self._unreachable(_reason(error)) from error
        return self._result(response.content)

    def _result(self, content: bytes) -> Any:
        answer = _json(content)
        if isinstance(answer, dict):
            if isinstance(answer.get("result"), dict):
                return answer["result"].get("data")
            if isinstance(answer.get("error"), dict):
                raise self._error(answer["error"])
        raise self._unreachable("what answers there is no platform of Lamina")

    def _error(self, shape: Mapping[str, Any]) -> LaminaError:
        data = shape.get("data")
        info = data.get("lamina") if isinstance(data, Mapping) else None
        return error_from(info) or LaminaError("INTERNAL", str(shape.get("message")))

    async def _open(self, path: str, given: Input) -> AsyncGenerator[FeedEvent, None]:
        """The events of one connection; ends when the platform ends it, raises when it breaks."""
        url = f"{self.url}{_RPC_PATH}/{path}?input={quote(_dumps(given))}"
        timeout = httpx.Timeout(_SILENT_SECONDS)
        headers = {"accept": "text/event-stream"}
        try:
            async with self._http.stream("GET", url, headers=headers, timeout=timeout) as response:
                if not response.headers.get("content-type", "").startswith("text/event-stream"):
                    self._result(await response.aread())
                    return
                async for event in server_events(response.aiter_bytes()):
                    if event.kind == "message":
                        yield FeedEvent(event.id, json.loads(event.data))
                    elif event.kind == "serialized-error":
                        raise self._error(json.loads(event.data))
                    elif event.kind == "return":
                        return
        except httpx.HTTPError as error:
            raise self._unreachable(_reason(error)) from error
        raise self._unreachable("the connection was closed")

    def _unreachable(self, reason: str) -> NoAnswer:
        advice = "`lamina doctor` says why; start one with `lamina up`, or point LAMINA_URL at one that runs."
        return NoAnswer("UNREACHABLE", f"The platform at {self.url} cannot be reached: {reason}. {advice}")


def connect(address: PlatformAddress | None = None) -> Client:
    """A client of the given platform, else of the one that LAMINA_URL and LAMINA_TOKEN name, else of the embedded one.

    UNREACHABLE when no platform is named and none runs here.
    """
    return Client(address or find_platform())


def _refusal(response: httpx.Response, what: str) -> LaminaError:
    answer = _json(response.content)
    refusal = error_from(answer.get("error")) if isinstance(answer, dict) else None
    return refusal or LaminaError("INTERNAL", f"The platform {what}: it answered with {response.status_code}.")


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _reason(error: BaseException) -> str:
    """What is at the bottom: httpx says that all attempts failed, and keeps why in the causes."""
    below = error.__cause__ or error.__context__
    if below is not None:
        return _reason(below)
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno) if error.errno > 0 else str(error)
    return str(error) or type(error).__name__
