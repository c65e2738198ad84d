"""Functions that run while an image is built: their sources, alone, and their arguments."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from ._arguments import Call
from ._container import in_container
from ._definition import RunFields
from ._image_state import Step
from ._local_steps.function import LocalFunction, function_operation

_NAMED = re.compile(r"(.+\.py):([A-Za-z_]\w*)", re.ASCII)
_NAME = re.compile(r"[A-Za-z_$][\w$]{0,126}", re.ASCII)


def function_step(function: object, args: object, kwargs: object, run: RunFields, call: Call) -> Step:
    """The step of a function, or of one that is named as "file.py:name"."""
    arguments = _arguments(args, call)
    keywords = _keywords(kwargs, call)
    if isinstance(function, str):
        named = _NAMED.fullmatch(function)
        if named is None:
            raise call.refuse('give a function, or one of a file as "file.py:name"')
        return LocalFunction(call.local_path(named[1]), named[2], arguments, keywords, run)
    # A function of an app is built with as it is.
    function = getattr(function, "__lamina_handler__", function)
    if inspect.isclass(function):
        raise call.refuse(f"{function.__name__} is a class: give a function")
    if not inspect.isfunction(function):
        raise call.refuse('give a function, or one of a file as "file.py:name"')
    if not _NAME.fullmatch(function.__name__) or function.__name__ == "<lambda>":
        raise call.refuse("a function that runs while building has a name: define it by def")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        what = f"{function.__name__} is a generator, and nobody would ask it for values"
        raise call.refuse(f"{what}: give a function that does its work when it is called")
    return function_operation(function.__name__, _source_of(function, call), arguments, keywords, run)


def _source_of(function: Callable[..., Any], call: Call) -> str:
    """The source of a function alone: dedented, without its decorators."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError) as error:
        if in_container():
            # Nothing is built there.
            return f"def {function.__name__}(): ..."
        raise call.refuse(f"the source of {function.__name__} is in no file") from error
    if function.__code__.co_freevars:
        names = ", ".join(function.__code__.co_freevars)
        raise call.refuse(f"{function.__name__} uses {names} of the function that it is defined in; give it those as arguments")
    tree = ast.parse(source).body[0]
    assert isinstance(tree, (ast.FunctionDef, ast.AsyncFunctionDef))
    return "".join(source.splitlines(keepends=True)[tree.lineno - 1 :])


def _arguments(args: object, call: Call) -> list[Any]:
    if args is None:
        return []
    if not isinstance(args, (list, tuple)):
        raise call.refuse("args: must be a list")
    return [_json(one, f"args.{number}", call) for number, one in enumerate(args, 1)]


def _keywords(kwargs: object, call: Call) -> Mapping[str, Any]:
    if kwargs is None:
        return {}
    if not isinstance(kwargs, dict) or not all(isinstance(name, str) for name in kwargs):
        raise call.refuse("kwargs: must be a dict of names and values")
    return {name: _json(value, f"kwargs.{name}", call) for name, value in kwargs.items()}


def _json(value: object, what: str, call: Call) -> Any:
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise call.refuse(f"{what}: must be what JSON can say") from error
