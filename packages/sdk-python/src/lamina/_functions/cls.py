"""Classes of apps: each container has one object of it, whose methods are called from elsewhere."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from .._arguments import Call
from .._imports import refuse_without_imports
from .._source import call_site
from ..image import state_of
from .definition import AppState, FunctionDefinition
from .function import Function
from .options import app_name, function_name
from .target import Target

P = ParamSpec("P")
R = TypeVar("R")
L = TypeVar("L")
F = TypeVar("F", bound=Callable[..., Any])

_ENTER, _EXIT = "__lamina_enter__", "__lamina_exit__"


class Method(Generic[P, R, L]):
    """A method that is called from elsewhere, in its class."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        """Use `lamina.method`."""
        self.__lamina_handler__ = handler
        self.__doc__ = handler.__doc__

    def __get__(self, instance: object, owner: type | None = None) -> Function[P, R, L]:
        """Of an object of the class, as in its container: the method itself, which runs there."""
        if instance is None:
            return cast("Function[P, R, L]", self)
        bound = self.__lamina_handler__.__get__(instance, owner)
        target = Target(lambda: "", owner.__name__ if owner else "", self.__lamina_handler__.__name__)
        return Function(target, bound)


@overload
def method(handler: Callable[..., Any], /) -> Method[..., Any, Any]: ...
@overload
def method() -> Callable[[Callable[..., Any]], Method[..., Any, Any]]: ...
def method(handler: Any = None, /) -> Any:
    """Mark a method of a class that is called from elsewhere: `@lamina.method()`."""
    call = Call("method", call_site())

    def decorate(handler: object) -> Method[..., Any, Any]:
        if not inspect.isfunction(handler):
            raise call.refuse("put @lamina.method() on a method")
        return Method(handler)

    return decorate if handler is None else decorate(handler)


@overload
def enter(handler: F, /) -> F: ...
@overload
def enter() -> Callable[[F], F]: ...
def enter(handler: Any = None, /) -> Any:
    """Mark a method that sets up the object, once a container, before the first call: `@lamina.enter()`."""
    return _marking(_ENTER, "enter", handler)


@overload
def exit(handler: F, /) -> F: ...  # noqa: A001 - named as what it marks
@overload
def exit() -> Callable[[F], F]: ...  # noqa: A001
def exit(handler: Any = None, /) -> Any:  # noqa: A001
    """Mark a method that is called after the last call of a container: `@lamina.exit()`."""
    return _marking(_EXIT, "exit", handler)


def _marking(mark: str, name: str, handler: object) -> Any:
    call = Call(name, call_site())

    def decorate(handler: object) -> Any:
        if not inspect.isfunction(handler):
            raise call.refuse(f"put @lamina.{name}() on a method")
        setattr(handler, mark, True)
        return handler

    return decorate if handler is None else decorate(handler)


def names_of(cls: type) -> Sequence[str]:
    """The methods of a class that are called from elsewhere, those of the classes that it extends first."""
    return [name for name in _members(cls) if isinstance(inspect.getattr_static(cls, name), Method)]


def _marked(cls: type, mark: str) -> list[str]:
    return [name for name in _members(cls) if getattr(inspect.getattr_static(cls, name), mark, False)]


def _members(cls: type) -> list[str]:
    return list(dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base)))


class Cls:
    """A class of an app: called, it gives an object whose methods are called by `.remote` and the like."""

    def __init__(self, target: Target, cls: type | None = None, definition: FunctionDefinition | None = None) -> None:
        """Use `App.cls` or `Cls.from_name`."""
        self._target = target
        self._cls = cls
        self._definition = definition
        if cls is not None:
            self.__name__, self.__qualname__, self.__module__, self.__doc__ = cls.__name__, cls.__qualname__, cls.__module__, cls.__doc__
            # The methods that begin and end the object of a container.
            self.__lamina_enter__ = _marked(cls, _ENTER)
            self.__lamina_exit__ = _marked(cls, _EXIT)

    @property
    def __lamina_class__(self) -> type:
        """What a container makes an object of. ImportError where its image lacks what is imported of it."""
        if self._cls is None:
            raise AttributeError("its code is not here")
        if self._definition is not None:
            refuse_without_imports(state_of(self._definition.image))
        return self._cls

    @staticmethod
    def from_name(app: str, name: str) -> Cls:
        """A class that somebody deployed. Whether it is there shows when it is called."""
        call = Call("Cls.from_name", call_site())
        target_app = app_name(app, call)
        return Cls(Target(lambda: target_app, function_name(name, call)))

    @property
    def name(self) -> str:
        """As its app knows it."""
        return self._target.function

    def is_of(self, app: AppState) -> bool:
        """Whether it was made for that app, for the SDK alone."""
        return self._definition is not None and self._definition.app is app

    def __repr__(self) -> str:
        """The name."""
        return f"<Cls {self._target.function}>"

    def __call__(self) -> Obj:
        """An object of it; each container has one, made without arguments."""
        return Obj(self._target, self._cls)


class Obj:
    """An object of a class of an app, as it is seen from elsewhere."""

    def __init__(self, target: Target, cls: type | None) -> None:
        """Use the class."""
        self._target = target
        self._cls = cls
        self._local: Any = None

    def __getattr__(self, name: str) -> Any:
        """A method to call elsewhere; anything else is that of an object here."""
        if name.startswith("__"):
            raise AttributeError(name)
        if self._cls is None:
            return Function(self._target.of(name))
        member = inspect.getattr_static(self._cls, name, None)
        if not isinstance(member, Method):
            return getattr(self._here(), name)
        handler = member.__lamina_handler__

        def local(*args: Any, **kwargs: Any) -> Any:
            return handler(self._here(), *args, **kwargs)

        functools.update_wrapper(local, handler)
        _, *others = inspect.signature(handler).parameters.values()
        local.__dict__["__signature__"] = inspect.signature(handler).replace(parameters=others)
        return Function(self._target.of(name), local)

    def _here(self) -> Any:
        """The object here, set up when it is used for the first time."""
        if self._local is None:
            assert self._cls is not None
            self._local = self._cls()
            for name in _marked(self._cls, _ENTER):
                result = getattr(self._local, name)()
                if inspect.isawaitable(result):
                    asyncio.run(_awaited(result))
        return self._local


async def _awaited(result: Any) -> Any:
    return await result
