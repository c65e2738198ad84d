"""How an error is shown to who runs a file in Python."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lamina import LaminaError
from lamina._build import _to_end
from lamina._cli.failure import failure_lines
from lamina._errors import SourceLocation
from lamina._progress import wants_colors

_MESSAGE = "shop.TooLarge: row 4 of 6 is larger than anything that this function was written for"
_STACK = ["Traceback (most recent call last):", '  File "shop.py", line 2, in f', "    raise TooLarge(text)", _MESSAGE]


def test_an_exception_is_said_once_with_its_stack_below() -> None:
    assert failure_lines(LaminaError("CALL_FAILED", _MESSAGE, last_lines=_STACK)) == [
        f"CALL_FAILED: {_MESSAGE}",
        "  stack",
        *(f"    │ {line}" for line in _STACK[:-1]),
    ]


def test_what_a_function_could_not_be_set_up_for_is_said_once_with_its_stack_below() -> None:
    error = LaminaError("FUNCTION_BROKEN", f"The function cannot be set up: {_MESSAGE}", last_lines=_STACK)
    assert failure_lines(error)[1:] == ["  stack", *(f"    │ {line}" for line in _STACK[:-1])]


def test_lines_are_broken_between_words_and_stay_within_the_terminal() -> None:
    lines = failure_lines(LaminaError("CALL_FAILED", _MESSAGE, last_lines=_STACK), columns=50)
    assert lines[:3] == ["CALL_FAILED: shop.TooLarge: row 4 of 6 is", "  larger than anything that this function was", "  written for"]
    assert max(map(len, lines)) < 50


def test_the_command_that_failed_is_not_said_again_and_the_place_is_quoted(tmp_path: Path) -> None:
    file = tmp_path / "image.py"
    file.write_text(f'import lamina\n\nimage = lamina.Image.debian_slim().run_commands("make")  # {"x" * 200}\n')
    error = LaminaError(
        "STEP_FAILED",
        "runCommands failed: `make` exited with 2.",
        source=SourceLocation(str(file), 3, 1),
        command="make",
        exit_code=2,
        last_lines=["[1/2] true", "[2/2] make", "no rule"],
    )
    lines = failure_lines(error, columns=80)
    assert lines[:4] == [
        "STEP_FAILED: runCommands failed: `make` exited with 2.",
        f"  at         {file}:3",
        "    1 │ import lamina",
        "    2 │",
    ]
    assert lines[4].startswith("  > 3 │ image = ")
    assert lines[4].endswith("…")
    assert lines[5:] == ["  last lines", "    │ [1/2] true", "    │ no rule"]


def test_the_code_alone_is_in_colour() -> None:
    assert failure_lines(LaminaError("NOT_FOUND", "No \x1b[2J."), colored=True) == ["\x1b[1;31mNOT_FOUND:\x1b[0m No \\u001b[2J."]
    assert wants_colors({"TERM": "xterm"}, is_terminal=True)
    for environment, is_terminal in (({"TERM": "dumb"}, True), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True), ({}, False)):
        assert not wants_colors(environment, is_terminal=is_terminal)
    assert wants_colors({"FORCE_COLOR": "1"}, is_terminal=False)


def test_what_fails_once_nobody_waits_for_it_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> Any:
        await asyncio.sleep(0)
        raise LaminaError("UNAUTHORIZED", "No.")

    async def cancelled() -> None:
        waiting = asyncio.ensure_future(_to_end(fails()))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(cancelled())
    assert caplog.text == ""
