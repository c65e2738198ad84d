"""How many inputs a container takes at once, said of the function or class itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from .._arguments import Call
from .._source import call_site
from .options import concurrency_of

T = TypeVar("T")

_MARK = "__lamina_concurrency__"


def concurrent(*, max_inputs: int) -> Callable[[T], T]:
    """Let a container take so many inputs at once; it stands below `@app.function()` or `@app.cls()`."""
    call = Call("concurrent", call_site())
    most = concurrency_of(max_inputs, "max_inputs", call)

    def decorate(code: T) -> T:
        if hasattr(code, "_target"):
            raise call.refuse("put @lamina.concurrent() below @app.function() or @app.cls()")
        setattr(code, _MARK, most)
        return code

    return decorate


def concurrency_said_of(code: object) -> Mapping[str, int]:
    """What was said of it, in the words of the platform."""
    said: int | None = getattr(code, _MARK, None)
    return {} if said is None else {"concurrency": said}
