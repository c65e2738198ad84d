"""The commands."""

from __future__ import annotations

import asyncio
import inspect
import signal
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn

from .._errors import LaminaError, RemoteError
from .._functions.call import call_now
from .._functions.session import AppRun
from .._synchronize import run
from .arguments import arguments_of
from .load import Chosen, apps_of, choose, import_file
from .output import Output


def execute(given: Sequence[str]) -> int:
    """Run `run TARGET [--json] -- ARGUMENTS` or `deploy FILE [--json]`; gives the exit code."""
    end = list(given).index("--") if "--" in given else len(given)
    own, args = given[:end], given[end + 1 :]
    output = Output(as_json="--json" in own)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        command, target = [one for one in own if one != "--json"]
        if command == "deploy":
            _deploy(target, output)
        else:
            _run(target, args, output)
    except KeyboardInterrupt:
        return output.failure(LaminaError("CANCELLED", "It was cancelled."))
    except LaminaError as error:
        return output.failure(error)
    return 0


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _deploy(file: str, output: Output) -> None:
    """Deploy the apps of a file, one after the other."""
    from .._client import connect
    from .._functions.definition import AppState
    from .._functions.deploy import deploy_app

    async def deploy(app: AppState) -> Any:
        async with connect() as client:
            return await deploy_app(client, app, on_event=output.on_event, apart=True)

    apps = apps_of(import_file(file))
    if not apps:
        raise LaminaError("INVALID_INPUT", f"{file} has no app.")
    for app in apps:
        deployed = run(deploy(app))
        one = deployed.pop("app")
        names = ", ".join(function["name"] for function in deployed["functions"])
        output.answer({"type": "app", "id": one, **deployed}, f"{deployed['name']} version {deployed['version']}: {names}")


def _run(target: str, args: Sequence[str], output: Output) -> None:
    """Have the file's app for the moment, call a function of it or run its entry point, and end it."""
    file, _, name = target.partition("::")
    chosen = choose(import_file(file), file, name or None)
    positional, named = arguments_of(chosen.entrypoint or _code_of(chosen), args)
    with AppRun(chosen.app, on_event=output.on_event, on_log=output.on_log, apart=True):
        if chosen.function is not None:
            # In JSON, since that is what its result is shown as.
            output.result(run(call_now(chosen.function.target.written("json"), positional, named, on_start=output.on_call)))
            return
        result = _entered(chosen, positional, named)
        if result is not None:
            output.result(result)


def _code_of(chosen: Chosen) -> Any:
    assert chosen.function is not None
    return chosen.function


def _entered(chosen: Chosen, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What the entry point gives. What it raises ends the command with its place."""
    assert chosen.entrypoint is not None
    try:
        result = chosen.entrypoint(*args, **kwargs)
        return asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result
    except LaminaError:
        raise
    except Exception as error:
        if isinstance(error.__cause__, RemoteError):
            raise error.__cause__ from error
        # Without the frames above the entry point.
        trace = error.__traceback__.tb_next if error.__traceback__ is not None else None
        lines = "".join(traceback.format_tb(trace)).rstrip().split("\n")
        raise LaminaError("CALL_FAILED", f"{type(error).__name__}: {error}", last_lines=lines) from error


async def _awaited(result: Any) -> Any:
    return await result
