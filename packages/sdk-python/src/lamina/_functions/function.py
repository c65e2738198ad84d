"""Functions as they are called from elsewhere."""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Generic, ParamSpec, TypeVar, cast

from .._arguments import Call
from .._code.module import main_name
from .._imports import refuse_without_imports
from .._source import call_site
from .._synchronize import synchronized, synchronized_generator
from ..image import Image, state_of
from .call import FunctionCall, call_now, spawn_call
from .definition import AppState, FunctionDefinition
from .map import MapOptions, map_calls
from .options import app_name, function_name
from .target import Target

P = ParamSpec("P")
R = TypeVar("R")
L = TypeVar("L")


class Function(Generic[P, R, L]):
    """A function of an app. Called as it is, or by `.local`, it runs here; by the others in a container of its image.

    Every form that waits has one to be awaited: `await f.remote.aio(1)`, `async for one in f.map.aio([1, 2])`.
    """

    def __init__(self, target: Target, handler: Callable[..., Any] | None = None, definition: FunctionDefinition | None = None) -> None:
        """Use `App.function` or `Function.from_name`."""
        self._target = target
        self._handler = handler
        self._definition = definition
        if handler is not None:
            functools.update_wrapper(self, handler)

    @property
    def __lamina_handler__(self) -> Callable[..., Any]:
        """What a container calls. ImportError where its image lacks what is imported of it."""
        if self._handler is None:
            raise AttributeError("its code is not here")
        if self._definition is not None:
            refuse_without_imports(state_of(self._definition.image))
        return self._handler

    @staticmethod
    def from_name(app: str, name: str) -> Function[..., Any, Any]:
        """A function that somebody deployed. Whether it is there shows when it is called."""
        call = Call("Function.from_name", call_site())
        target_app = app_name(app, call)
        return Function(Target(lambda: target_app, function_name(name, call)))

    @property
    def name(self) -> str:
        """As its app knows it."""
        return self._target.function if self._target.method is None else f"{self._target.function}.{self._target.method}"

    @property
    def image(self) -> Image | None:
        """The image that it runs in, where it was made here."""
        return None if self._definition is None else self._definition.image

    @property
    def target(self) -> Target:
        """What is called, for the SDK alone."""
        return self._target

    def is_of(self, app: AppState) -> bool:
        """Whether it was made for that app, for the SDK alone."""
        return self._definition is not None and self._definition.app is app

    def __repr__(self) -> str:
        """The name."""
        return f"<Function {self.name}>"

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> L:
        """Run it here."""
        return self.local(*args, **kwargs)

    def local(self, /, *args: P.args, **kwargs: P.kwargs) -> L:
        """Run it here."""
        if self._handler is None:
            raise Call(self.name, call_site()).refuse("its code is not here; call it by .remote")
        return cast(L, self._handler(*args, **kwargs))

    @synchronized
    async def remote(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it in its container, and give what it gives. Ctrl-C cancels the call.

        Raises what it raised, where its class is known here, else RemoteError; LaminaError for why the platform could not
        call it.
        """
        return cast(R, await call_now(self._target, args, kwargs))

    @synchronized
    async def spawn(self, /, *args: P.args, **kwargs: P.kwargs) -> FunctionCall[R]:
        """Start a call, and do not wait for its end."""
        return cast("FunctionCall[R]", await spawn_call(self._target, args, kwargs))

    @synchronized_generator
    def map(
        self,
        *iterables: Iterable[Any] | AsyncIterable[Any],
        kwargs: Mapping[str, Any] | None = None,
        order_outputs: bool = True,
        return_exceptions: bool = False,
    ) -> AsyncGenerator[R, None]:
        """Call it once for each input, many at once, as the built-in `map` does; leaving the loop cancels what has not ended.

        Results come in the order of the inputs, or, with `order_outputs=False`, as they are there. The first call that fails
        ends it, unless `return_exceptions` gives exceptions in the places of results. Each call gets `kwargs` too.
        """
        options = MapOptions(order_outputs, return_exceptions, kwargs or {})
        return map_calls(self._target, *_inputs(iterables, "map"), options)

    @synchronized_generator
    def starmap(
        self,
        tuples: Iterable[Any] | AsyncIterable[Any],
        *,
        kwargs: Mapping[str, Any] | None = None,
        order_outputs: bool = True,
        return_exceptions: bool = False,
    ) -> AsyncGenerator[R, None]:
        """The same for tuples of arguments."""
        options = MapOptions(order_outputs, return_exceptions, kwargs or {})
        return map_calls(self._target, _iterable(tuples, "starmap"), tuple, options)

    @synchronized
    async def for_each(
        self,
        *iterables: Iterable[Any] | AsyncIterable[Any],
        kwargs: Mapping[str, Any] | None = None,
        ignore_exceptions: bool = False,
    ) -> None:
        """Call it once for each input, many at once, for what that does, and wait until all have ended."""
        options = MapOptions(ordered=False, return_exceptions=ignore_exceptions, kwargs=kwargs or {})
        async with aclosing(map_calls(self._target, *_inputs(iterables, "for_each"), options)) as results:
            async for _ in results:
                pass

    def __reduce__(self) -> tuple[object, ...]:
        """By its name in its module, as any function."""
        if self._handler is None:
            return (Function.from_name, (self._target.app(), self._target.function))
        module = main_name() if self._handler.__module__ == "__main__" else self._handler.__module__
        return (pkgutil.resolve_name, (f"{module}:{self._handler.__qualname__}",))


def _inputs(iterables: Sequence[Any], method: str) -> tuple[Any, Callable[[Any], Sequence[Any]]]:
    """What to iterate over, and how an item of it becomes arguments."""
    if not iterables:
        raise Call(method, call_site()).refuse("give something to iterate over")
    several = [_iterable(one, method) for one in iterables]
    if len(several) == 1:
        return several[0], _alone
    if any(isinstance(one, AsyncIterable) for one in several):
        raise Call(method, call_site()).refuse("of several iterables none can be asynchronous; give one, of tuples, to starmap")
    return zip(*several), tuple


def _alone(one: Any) -> Sequence[Any]:
    return (one,)


def _iterable(value: Any, method: str) -> Any:
    if not isinstance(value, (Iterable, AsyncIterable)):
        raise Call(method, call_site()).refuse("the inputs: must be a list, or something else to iterate over")
    return value
