"""What goes out: results on stdout alone, all that is said on the way on stderr; with JSON one event a line on stdout."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, BinaryIO

from .._errors import LaminaError
from .._functions.session import OnEvent, OnLog, say_builds, say_log
from .._progress import wants_colors
from .._values.codec import ValueProblem, encode_value
from .failure import failure_lines, terminal_columns

# As packages/api/src/errors.ts has them; 1 for the others.
_EXIT_CODES = {
    2: "INVALID_INPUT UNKNOWN_BUILDER_VERSION BASE_NOT_FOUND BASE_UNAUTHORIZED SECRET_MISSING NOT_FOUND POOL_UNAVAILABLE VALUE_UNREADABLE",
    3: "UNAUTHORIZED FORBIDDEN CONTEXT_MISSING CONTEXT_CORRUPT PARENT_MISSING LEASE_LOST REGISTRY_UNAVAILABLE UNREACHABLE VERSION_MISMATCH"
    " INTERNAL",
    130: "CANCELLED",
}


# As apps/cli has it: nobody knows how far it is, and silence looks like a fault.
_SLOW_SECONDS = 4
_SLOW = "planning takes a while: a base that is new here is fetched or made first"


def _saying_what_takes_long(on_event: OnEvent) -> OnEvent:
    slow = threading.Timer(_SLOW_SECONDS, lambda: sys.stderr.write(f"{_SLOW}\n"))
    slow.daemon = True
    slow.start()

    def heard(event: Mapping[str, Any], name: str) -> None:
        slow.cancel()
        on_event(event, name)

    return heard


class Output:
    """Where results go."""

    def __init__(self, *, as_json: bool) -> None:
        """From now on what users print goes to stderr, since it is not the result."""
        self._json = as_json
        sys.stdout.flush()
        self._results: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)

    @property
    def on_event(self) -> OnEvent:
        """Hears of what happens to images."""
        return (lambda event, name: self._event({**event, "name": name})) if self._json else _saying_what_takes_long(say_builds())

    @property
    def on_log(self) -> OnLog:
        """Hears of what functions write."""
        return (lambda batch: self._event({"type": "log", **batch})) if self._json else say_log

    def on_call(self, call: str) -> None:
        """Hears of the id of the call."""
        if self._json:
            self._event({"type": "call", "id": call})

    def result(self, value: object) -> None:
        """Bytes as they are, anything else as JSON. VALUE_UNREADABLE for what JSON has no notation for."""
        try:
            text = encode_value(value, "the result")
        except ValueProblem as error:
            raise LaminaError("VALUE_UNREADABLE", f"The result cannot be shown: {error}.") from error
        if self._json:
            self._event({"type": "result", "value": json.loads(text)})
        else:
            self._write(bytes(value) if isinstance(value, (bytes, bytearray)) else text.encode() + b"\n")

    def answer(self, event: Mapping[str, Any], text: str) -> None:
        """What a command comes to: the event with JSON, else the text."""
        if self._json:
            self._event(event)
        else:
            self._write(text.encode() + b"\n")

    def failure(self, error: LaminaError) -> int:
        """Say what went wrong; gives the exit code."""
        info = {
            "code": error.code,
            "reason": error.reason,
            "message": error.message,
            "layer": error.layer,
            "source": None if error.source is None else asdict(error.source),
            "command": error.command,
            "exitCode": error.exit_code,
            "lastLines": list(error.last_lines) or None,
        }
        if self._json:
            self._event({"type": "error", **{name: value for name, value in info.items() if value is not None}})
        else:
            is_terminal = sys.stderr.isatty()
            colored = wants_colors(os.environ, is_terminal=is_terminal)
            # A terminal shows Ctrl-C where it was typed.
            before = "\n" if is_terminal and error.code == "CANCELLED" else ""
            sys.stderr.write(before + "".join(f"{line}\n" for line in failure_lines(error, columns=terminal_columns(), colored=colored)))
        return next((code for code, names in _EXIT_CODES.items() if error.code in names.split()), 1)

    def _event(self, event: Mapping[str, Any]) -> None:
        self._write(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n")

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._results.write(view) :]
