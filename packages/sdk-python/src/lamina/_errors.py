"""The one error class of the SDK, with the codes of the platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ERROR_CODES = frozenset(
    "INVALID_INPUT UNKNOWN_BUILDER_VERSION BASE_NOT_FOUND BASE_UNAUTHORIZED SECRET_MISSING NOT_FOUND POOL_UNAVAILABLE UNAUTHORIZED"
    " FORBIDDEN CONTEXT_MISSING CONTEXT_CORRUPT PARENT_MISSING STEP_FAILED BUILD_FAILED ATTEMPT_LOST RUN_FAILED CALL_FAILED"
    " CALL_TIMED_OUT CALL_OUT_OF_MEMORY CALL_CRASHED CALL_LOST FUNCTION_BROKEN VALUE_UNREADABLE CANCELLED LEASE_LOST"
    " REGISTRY_UNAVAILABLE UNREACHABLE VERSION_MISMATCH INTERNAL".split()
)
"""Every code of the platform, as `packages/api` lists them."""


@dataclass(frozen=True)
class SourceLocation:
    """Where in a user's file a method was called; line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """`file:line`, which terminals and editors know."""
        return f"{self.file}:{self.line}"


class LaminaError(Exception):
    """Anything that the SDK or the platform refuses or fails at. The code is stable; the message is for people."""

    code: str
    message: str
    reason: str | None
    """What exactly is wrong with an input, by the list in the README of `packages/sdk`."""
    layer: str | None
    """The id of the layer that it concerns."""
    source: SourceLocation | None
    """Where in the user's file the method was called that it is about."""
    command: str | None
    """The command that failed, as its author wrote it."""
    exit_code: int | None
    last_lines: Sequence[str]
    """The last lines of its output, the newest last."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        reason: str | None = None,
        layer: str | None = None,
        source: SourceLocation | None = None,
        command: str | None = None,
        exit_code: int | None = None,
        last_lines: Sequence[str] = (),
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.reason = reason
        self.layer = layer
        self.source = source
        self.command = command
        self.exit_code = exit_code
        self.last_lines = tuple(last_lines)

    def __str__(self) -> str:
        """All that helps: the message, the last lines of output, and the place in the user's file."""
        place = [f"  at {self.source}"] if self.source is not None else []
        return "\n".join([self.message, *(f"  | {line}" for line in self.last_lines), *place])

    def __reduce__(self) -> tuple[object, ...]:
        """An error may cross to another process."""
        return (_again, (type(self), self.code, self.message, self.__dict__))


def _again(kind: type[LaminaError], code: str, message: str, state: Mapping[str, Any]) -> LaminaError:
    error = kind(code, message)
    error.__dict__.update(state)
    return error


class RemoteError(LaminaError):
    """What a function raised, where it cannot be raised here as what it is; the cause of it where it can."""

    def __init__(self, message: str, *, type: str, stack: str, last_lines: Sequence[str] = ()) -> None:  # noqa: A002 - as it is said
        super().__init__("CALL_FAILED", message, last_lines=last_lines)
        self.type = type
        """The name of its class, with the module where that is not `builtins`."""
        self.stack = stack
        """The stack of where it was raised, in the words of its language."""

    def __reduce__(self) -> tuple[object, ...]:
        """An error may cross to another process."""
        return (_remote_again, (self.message, self.type, self.stack, tuple(self.last_lines)))


class CallTimeoutError(LaminaError, TimeoutError):
    """A call took longer than its function may, or than somebody was ready to wait."""


def _remote_again(message: str, kind: str, stack: str, last_lines: Sequence[str]) -> RemoteError:
    return RemoteError(message, type=kind, stack=stack, last_lines=last_lines)


def error_from(info: object) -> LaminaError | None:
    """The error that the platform answered, or None for what is none. A code that is not known here becomes INTERNAL."""
    if not isinstance(info, Mapping) or not isinstance(info.get("code"), str) or not isinstance(info.get("message"), str):
        return None
    code, message = info["code"], info["message"]
    if code not in ERROR_CODES:
        return LaminaError("INTERNAL", f"{message} ({code}, which this version of Lamina does not know)")
    kind = CallTimeoutError if code == "CALL_TIMED_OUT" else LaminaError
    return kind(
        code,
        message,
        reason=info.get("reason"),
        layer=info.get("layer"),
        source=_location(info.get("source")),
        command=info.get("command"),
        exit_code=info.get("exitCode"),
        last_lines=info.get("lastLines") or (),
    )


def invalid_input(message: str, source: SourceLocation | None) -> LaminaError:
    """An input that cannot be right, with the place where it was given."""
    return LaminaError("INVALID_INPUT", message, source=source)


def _location(value: object) -> SourceLocation | None:
    return SourceLocation(value["file"], value["line"], value["column"]) if isinstance(value, Mapping) else None
