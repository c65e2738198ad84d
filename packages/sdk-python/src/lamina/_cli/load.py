"""A user's file, imported under the name that a container has for it, and what in it a command means."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from .._errors import LaminaError, SourceLocation
from .._functions.cls import Cls
from .._functions.definition import AppState
from .._functions.function import Function
from ..app import App, state_of_app


@dataclass(frozen=True)
class Chosen:
    """What is run: a function of an app, or an entry point, which runs here."""

    app: AppState
    function: Function[..., Any, Any] | None
    entrypoint: Callable[..., Any] | None


def import_file(file: str) -> ModuleType:
    """The module of a file. INVALID_INPUT for what is none, and for what it raises, with the place in it."""
    path = os.path.abspath(file)
    if not os.path.isfile(path):
        raise LaminaError("INVALID_INPUT", f"{file} is not a file.")
    directory, name = _place_of(path)
    if name == "" or "." in os.path.basename(path).removesuffix(".py"):
        raise LaminaError("INVALID_INPUT", f"{file} has a name that cannot be imported: give it one without further dots.")
    sys.path.insert(0, directory)
    try:
        module = importlib.import_module(name) if "." in name else _module_of(name, path)
    except (LaminaError, KeyboardInterrupt):
        raise
    # What ends the program, too.
    except BaseException as error:
        raise _failing(file, name, path, error) from error
    if not isinstance(module.__file__, str) or not os.path.samefile(module.__file__, path):
        raise LaminaError("INVALID_INPUT", f"{file} is not what `import {name}` finds, which is {module.__file__}.")
    return module


def _place_of(path: str) -> tuple[str, str]:
    """The directory that a file is imported from, and the name of its module: in a package, with those of the packages around it."""
    directory, base = os.path.split(path)
    names = [] if base == "__init__.py" else [base.removesuffix(".py")]
    while os.path.exists(os.path.join(directory, "__init__.py")):
        above, package = os.path.split(directory)
        if package == "" or "." in package:
            break
        names.insert(0, package)
        directory = above
    return directory, ".".join(names)


def _module_of(name: str, path: str) -> ModuleType:
    """A file as the module of that name, whatever has it otherwise."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _failing(file: str, name: str, path: str, error: BaseException) -> LaminaError:
    what = f"{file} cannot be imported as {name}" if "." in name else f"{file} cannot be imported"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == path else frames[-1].lineno if frames else None
    source = None if line is None else SourceLocation(path, line, 1)
    return LaminaError("INVALID_INPUT", f"{what}: {type(error).__name__}: {error}", reason="failing-file", source=source)


def apps_of(module: ModuleType) -> Sequence[AppState]:
    """The apps that a module has, each once."""
    states = [state_of_app(value) for value in vars(module).values() if isinstance(value, App)]
    return list({id(state): state for state in states}.values())


def choose(module: ModuleType, file: str, name: str | None) -> Chosen:
    """What a target means: its name, else the entry point, else the one function. INVALID_INPUT when that is not clear."""
    apps = apps_of(module)
    if not apps:
        raise LaminaError("INVALID_INPUT", f"{file} has no app.")
    entrypoints = {name: Chosen(app, None, one) for app in apps for name, one in app.entrypoints.items()}
    functions = _functions_of(module, apps)
    if name is not None:
        found = entrypoints.get(name) or functions.get(name)
        if found is None:
            raise LaminaError("INVALID_INPUT", f'{file} has no function "{name}". {_listed(file, {**entrypoints, **functions})}')
        return found
    for some in (entrypoints, functions):
        if len(some) == 1:
            return next(iter(some.values()))
        if some:
            raise LaminaError("INVALID_INPUT", f"{file} has several functions. {_listed(file, some)}")
    raise LaminaError("INVALID_INPUT", f"{file} has no function of an app.")


def _functions_of(module: ModuleType, apps: Sequence[AppState]) -> Mapping[str, Chosen]:
    known = {(id(app), one.name): app for app in apps for one in app.functions}
    found: dict[str, Chosen] = {}
    for value in vars(module).values():
        app = next((app for app in apps if _is_of(value, app, known)), None)
        if app is None:
            continue
        if isinstance(value, Function):
            found[value.name] = Chosen(app, value, None)
        elif isinstance(value, Cls):
            definition = next(one for one in app.functions if one.name == value.name)
            for method in definition.methods or ():
                found[f"{value.name}.{method}"] = Chosen(app, getattr(value(), method), None)
    return found


def _is_of(value: object, app: AppState, known: Mapping[tuple[int, str], AppState]) -> bool:
    return isinstance(value, (Function, Cls)) and value.is_of(app) and (id(app), value.name) in known


def _listed(file: str, names: Mapping[str, Chosen]) -> str:
    return f"Name one: {', '.join(f'{file}::{name}' for name in names)}" if names else "It has none."
