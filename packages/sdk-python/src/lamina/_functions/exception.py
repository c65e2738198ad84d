"""What a call raised where it ran, as an exception here."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from .._errors import LaminaError, RemoteError, error_from
from .._values.transfer import receive_value

if TYPE_CHECKING:
    from .._client import Client


async def exception_of(client: Client, error: Mapping[str, Any]) -> Exception:
    """The exception that was raised, where it can be raised here, with a RemoteError as its cause; else that RemoteError.

    For what the platform itself has to say of a call, a LaminaError; of a function that could not be set up, with the stack of that.
    """
    told = error.get("exception")
    if told is None or error.get("code") != "CALL_FAILED":
        said = error if told is None else {**error, "lastLines": _stack_lines(told)}
        return error_from(said) or LaminaError("INTERNAL", "The call failed, and the platform does not say why.")
    remote = _remote_error(told)
    raised = await _raised(client, told)
    if raised is None:
        return remote
    raised.__cause__ = remote
    if sys.version_info >= (3, 11):
        raised.add_note(f"Where it ran:\n{told['stack'].rstrip()}")
    return raised


def _remote_error(told: Mapping[str, Any]) -> RemoteError:
    kind, message, stack = told["type"], told["message"], told["stack"]
    return RemoteError(f"{kind}: {message}", type=kind, stack=stack, last_lines=_stack_lines(told))


def _stack_lines(told: Mapping[str, Any]) -> Sequence[str]:
    stack: str = told["stack"]
    return stack.rstrip().split("\n")


async def _raised(client: Client, told: Mapping[str, Any]) -> Exception | None:
    if "pickled" not in told:
        return None
    try:
        value = await receive_value(client, told["pickled"])
    except LaminaError as error:
        # Its class is not here, or needs what is not here: the RemoteError tells all that it would.
        if error.code == "VALUE_UNREADABLE":
            return None
        raise
    return value if _may_be_raised(value) else None


def _may_be_raised(value: object) -> TypeGuard[Exception]:
    """Not what would end this program, as SystemExit, or the coroutine or generator that it comes out of."""
    return isinstance(value, Exception) and not isinstance(value, (StopIteration, StopAsyncIteration))
