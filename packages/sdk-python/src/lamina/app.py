"""Apps: functions with the images that they run in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast, overload

from ._arguments import Call
from ._container import in_container
from ._functions.cls import Cls, names_of
from ._functions.concurrent import concurrency_said_of
from ._functions.definition import AppState, FunctionDefinition
from ._functions.deployment import Deployment, deployment_of
from ._functions.function import Function
from ._functions.options import FunctionOptions, app_name, function_name, given_options, image_of, limits_of, refuse_older_python
from ._functions.session import AppRun, say_builds, say_log
from ._functions.target import Target
from ._source import call_site
from ._synchronize import synchronized
from .image import Image
from .secret import Secret

if TYPE_CHECKING:
    from typing_extensions import Unpack

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)
E = TypeVar("E", bound=Callable[..., Any])


class FunctionDecorator(Protocol):
    """Makes a function one of an app."""

    @overload
    def __call__(self, handler: Callable[P, Coroutine[Any, Any, R]], /) -> Function[P, R, Coroutine[Any, Any, R]]: ...
    @overload
    def __call__(self, handler: Callable[P, R], /) -> Function[P, R, R]: ...


class LookedUpApp:
    """An app that is deployed. Whether it is, and has what is called, shows when it is called."""

    def __init__(self, name: str) -> None:
        """Use `App.lookup`."""
        self.name = name

    def function(self, name: str) -> Function[..., Any, Any]:
        """A function by its name."""
        return Function.from_name(self.name, name)

    def cls(self, name: str) -> Cls:
        """A class by its name."""
        return Cls.from_name(self.name, name)


class App:
    """A named set of functions."""

    def __init__(self, name: str, *, image: Image | None = None, secrets: Sequence[Secret] | None = None) -> None:
        """Give the app a name; its functions run in `image` where they say no other, and see `secrets` beside their own."""
        call = Call("App", call_site())
        self._state = AppState(app_name(name, call))
        self._image = image_of(image, call)
        self._secrets = tuple(call.secrets(secrets))

    @property
    def name(self) -> str:
        """As it was given."""
        return self._state.name

    def __repr__(self) -> str:
        """The name."""
        return f"App({self.name!r})"

    @staticmethod
    def lookup(name: str) -> LookedUpApp:
        """An app that somebody deployed, to call its functions by their names."""
        return LookedUpApp(app_name(name, Call("App.lookup", call_site())))

    @overload
    def function(self, handler: Callable[P, Coroutine[Any, Any, R]], /) -> Function[P, R, Coroutine[Any, Any, R]]: ...
    @overload
    def function(self, handler: Callable[P, R], /) -> Function[P, R, R]: ...
    @overload
    def function(self, /, **options: Unpack[FunctionOptions]) -> FunctionDecorator: ...
    def function(self, handler: Any = None, /, **options: Any) -> Any:
        """Make a function one of the app: `@app.function(image=image)`, or `@app.function` alone.

        `FunctionOptions` says what may be given.
        """
        call = Call("App.function", call_site())
        given = given_options(cast(FunctionOptions, options), call)

        def decorate(handler: object) -> Any:
            if not inspect.isfunction(handler):
                raise call.refuse("put @app.function() on a function, with options by their names; a class has @app.cls()")
            definition = self._register(given, handler, call)
            return Function(self._target(definition), handler, definition)

        return decorate if handler is None else decorate(handler)

    @overload
    def cls(self, cls: C, /) -> C: ...
    @overload
    def cls(self, /, **options: Unpack[FunctionOptions]) -> Callable[[C], C]: ...
    def cls(self, cls: Any = None, /, **options: Any) -> Any:
        """Make a class one of the app, by its methods with `@lamina.method()`; options as for `function`.

        Each container has one object of it, made without arguments and set up by the methods with `@lamina.enter()`.
        """
        call = Call("App.cls", call_site())
        given = given_options(cast(FunctionOptions, options), call)

        def decorate(cls: Any) -> Any:
            if not inspect.isclass(cls):
                raise call.refuse("put @app.cls() on a class, with options by their names; a function has @app.function()")
            methods = names_of(cls)
            if not methods:
                raise call.refuse(f"{cls.__name__} has no method to call: put @lamina.method() on those that are")
            definition = self._register(given, cls, call, methods)
            return Cls(self._target(definition), cls, definition)

        return decorate if cls is None else decorate(cls)

    @overload
    def local_entrypoint(self, handler: E, /) -> E: ...
    @overload
    def local_entrypoint(self, /, *, name: str | None = None) -> Callable[[E], E]: ...
    def local_entrypoint(self, handler: Any = None, /, *, name: str | None = None) -> Any:
        """Mark what `lamina run FILE` runs here, with the app for the moment: `@app.local_entrypoint()`."""
        call = Call("App.local_entrypoint", call_site())

        def decorate(handler: object) -> Any:
            if not inspect.isfunction(handler):
                raise call.refuse("put @app.local_entrypoint() on a function")
            self._state.entrypoints[handler.__name__ if name is None else function_name(name, call)] = handler
            return handler

        return decorate if handler is None else decorate(handler)

    def run(self, *, show_progress: bool = True) -> AppRun:
        """The app for the moment: `with app.run():`. Calls of its functions go there until the block ends.

        What happens to its images, and what its functions write, is said on stderr unless `show_progress` is False.
        """
        if show_progress:
            return AppRun(self._state, on_event=say_builds(), on_log=say_log, apart=True)
        return AppRun(self._state, on_event=lambda event, name: None, on_log=lambda batch: None, apart=False)

    @synchronized
    async def deploy(self, *, show_progress: bool = True) -> Deployment:
        """Make these the functions of the app under its name: build what images are missing, send the code.

        When something fails, what was deployed before stays as it is.
        """
        # Only here, since they take more than the standard library.
        from ._client import connect
        from ._functions.deploy import deploy_app

        on_event = say_builds() if show_progress else lambda event, name: None
        async with connect() as client:
            return deployment_of(await deploy_app(client, self._state, on_event=on_event, apart=show_progress))

    def _target(self, definition: FunctionDefinition) -> Target:
        return Target(self._state.target, definition.name, notation="pickle")

    def _register(self, options: FunctionOptions, code: Any, call: Call, methods: Sequence[str] | None = None) -> FunctionDefinition:
        if code.__name__ == "<lambda>":
            raise call.refuse("a lambda has no name by which a container could find it: define a function by def")
        own = options.get("name")
        name = function_name(code.__name__ if own is None else own, call)
        if "<locals>" in code.__qualname__ and not in_container():
            raise call.refuse(f"{code.__name__} is defined in a function; a container finds only what is defined in a module")
        image = image_of(options.get("image"), call) or self._image or Image.debian_slim()
        refuse_older_python(image, call)
        definition = FunctionDefinition(
            app=self._state,
            name=name,
            image=image,
            secrets=(*self._secrets, *call.secrets(options.get("secrets"))),
            limits={**concurrency_said_of(code), **limits_of(options, call)},
            source=call.source,
            module=code.__module__,
            qualname=code.__qualname__,
            methods=methods,
        )
        if any(other.name == name for other in self._state.functions):
            raise call.refuse(f'the app has a function {name} already; give this one another name, by name="…"')
        self._state.functions.append(definition)
        return definition


def state_of_app(app: App) -> AppState:
    """What an app is made of, for the SDK alone."""
    return app._state
