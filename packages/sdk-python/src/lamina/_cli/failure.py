"""An error as people read it: what happened, where in their file, and the last that was said."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence

from .._errors import LaminaError, SourceLocation
from .._progress import plain_line

_LINES_BEFORE = 2
# A file may be one line.
_LONGEST_QUOTE = 160
# What is left free of a terminal's width, as apps/cli has it.
_FREE = 3
_RULE = "    │ "
# Errors that may be about an exception: of a call, or of what sets its function up.
_OF_EXCEPTIONS = ("CALL_FAILED", "FUNCTION_BROKEN")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SAID_BEFORE = re.compile(r"\[\d+/\d+\] (.*)")


def failure_lines(error: LaminaError, *, columns: int | None = None, colored: bool = False) -> Sequence[str]:
    """Its lines; those of a terminal are broken between words."""
    stack = _stack_of(error)
    lines = [line for line in error.last_lines if not _is_said(line, error)] if stack is None else stack
    head, *more = map(_shown, error.message.split("\n"))
    code = _painted(f"{error.code}:", "1;35" if error.code == "CANCELLED" else "1;31", colored=colored)
    # The code is wrapped as what it looks like.
    first, *others = _wrapped(f"{error.code}: {head}", columns, "", "  ")
    command = [] if error.command is None or " ".join(error.command.split()) in error.message else [*map(_shown, error.command.split("\n"))]
    return [
        f"{code}{first.removeprefix(f'{error.code}:')}",
        *others,
        *(part for line in more for part in _wrapped(line, columns, "", "  ")),
        *(
            part
            for at, line in enumerate(command)
            for part in _wrapped(line, columns, "             " if at else "  command    ", " " * 13)
        ),
        *([] if error.source is None else _source_lines(error.source, columns, colored=colored)),
        *([] if not lines else ["  last lines" if stack is None else "  stack"]),
        *(part for line in lines for part in _wrapped(plain_line(line), columns, _RULE, _RULE)),
    ]


def terminal_columns() -> int | None:
    """The width of stderr, where it is a terminal that is not kept as a log."""
    is_log = os.environ.get("CI", "") not in ("", "false")
    return shutil.get_terminal_size().columns if sys.stderr.isatty() and not is_log else None


def _shown(text: str) -> str:
    """What a terminal would act on shows as its escape."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _stack_of(error: LaminaError) -> Sequence[str] | None:
    """A stack has the message at its beginning, that of Python at its end, and is not to say it again."""
    if error.code not in _OF_EXCEPTIONS:
        return None
    said, lines = error.message.split("\n"), list(error.last_lines)
    if _is_said_again(lines[: len(said)], said):
        return lines[len(said) :]
    return lines[: -len(said)] if _is_said_again(lines[-len(said) :], said) else lines


def _is_said_again(lines: Sequence[str], said: Sequence[str]) -> bool:
    """Whether they are what the message says; the platform may have said something before it."""
    return lines == said or (lines[1:] == said[1:] and lines != [] and said[0].endswith(f": {lines[0]}"))


def _is_said(line: str, error: LaminaError) -> bool:
    """A step says each command before it runs; that which failed is named already."""
    said = _SAID_BEFORE.fullmatch(line)
    return said is not None and said[1] == error.command


def _source_lines(source: SourceLocation, columns: int | None, *, colored: bool) -> Sequence[str]:
    place = f"  at         {_painted(_shown(str(source)), '1', colored=colored)}"
    try:
        with open(source.file, encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
    except OSError:
        return [place]
    if not 0 < source.line <= len(lines):
        return [place]
    first, width = max(1, source.line - _LINES_BEFORE), len(str(source.line))
    room = _LONGEST_QUOTE if columns is None else max(8, min(_LONGEST_QUOTE, columns - width - 8))

    def quoted(number: int) -> str:
        text = plain_line(lines[number - 1])
        return f"{number:>{width}} │ {text if len(text) <= room else f'{text[: room - 1]}…'}".rstrip()

    before = [_painted(f"    {quoted(number)}", "2", colored=colored) for number in range(first, source.line)]
    return [place, *before, f"  {_painted('>', '31', colored=colored)} {quoted(source.line)}"]


def _wrapped(text: str, columns: int | None, first: str, others: str) -> Sequence[str]:
    if columns is None:
        return [f"{first}{text}"]
    width = max(columns - _FREE, len(first) + 8)
    keep = textwrap.TextWrapper(
        width, initial_indent=first, subsequent_indent=others, drop_whitespace=True, replace_whitespace=False, break_on_hyphens=False
    )
    indentation = text[: len(text) - len(text.lstrip())]
    keep.initial_indent += indentation
    return [line.rstrip() for line in keep.wrap(text.lstrip())] or [first.rstrip()]


def _painted(text: str, sgr: str, *, colored: bool) -> str:
    return f"\x1b[{sgr}m{text}\x1b[0m" if colored else text
