"""What is called: a function of an app, and the platform that it is on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .._container import in_container
from .._errors import LaminaError
from .._platform import PlatformAddress, find_platform
from .._values.transfer import Notation

if TYPE_CHECKING:
    from .._client import Client


class Target:
    """A function, or a method of a class."""

    def __init__(self, app: Callable[[], str], function: str, method: str | None = None, notation: Notation | None = None) -> None:
        """`app` is asked at each call. Without a notation the platform is asked for the language of the function."""
        self.app = app
        self.function = function
        self.method = method
        self._notation = notation

    def of(self, method: str) -> Target:
        """A method, where this is a class."""
        return Target(self.app, self.function, method, self._notation)

    def written(self, notation: Notation) -> Target:
        """The same, called with values in that notation."""
        return Target(self.app, self.function, self.method, notation)

    async def notation(self, client: Client) -> Notation:
        """In which its values travel: pickled between Python and Python."""
        if self._notation is None:
            try:
                info = await client.query("apps.get", {"app": self.app()})
            except LaminaError as error:
                raise self.explain(error) from error
            language = next((one["language"] for one in info["functions"] if one["name"] == self.function), None)
            if language is None:
                raise self.explain(LaminaError("NOT_FOUND", f"The app {self.app()} has no function {self.function}."))
            self._notation = "pickle" if language == "python" else "json"
        return self._notation

    def explain(self, error: LaminaError) -> LaminaError:
        """The error with what to do about it, where the app or the function is not there; another one as it is."""
        if error.code != "NOT_FOUND":
            return error
        advice = "Deploy it with `lamina deploy FILE`, or call it within `with app.run():`."
        message = f"There is no function {self.function} of an app {self.app()} that runs. {advice} The platform says: {error.message}"
        return LaminaError("NOT_FOUND", message)


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[PlatformAddress, Client]] = WeakKeyDictionary()


def shared_client() -> Client:
    """The client of the calls from this event loop, which keeps its connection."""
    address = _address()
    loop = asyncio.get_running_loop()
    known = _clients.get(loop)
    if known is not None and known[0] == address:
        return known[1]
    # Only here, since it takes more than the standard library.
    from .._client import connect

    client = connect(address)
    _clients[loop] = (address, client)
    return client


def _address() -> PlatformAddress:
    try:
        return find_platform()
    except LaminaError as error:
        if error.code != "UNREACHABLE" or not in_container():
            raise
        message = "In a container there is no platform to talk to: call functions from outside, or the function itself by `.local`."
        raise LaminaError("UNREACHABLE", message) from error
