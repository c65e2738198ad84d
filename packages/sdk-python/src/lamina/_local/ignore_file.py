"""The .dockerignore of a directory."""

from __future__ import annotations

import os
import re

from .._text import quoted
from .ignore import ignore_fault
from .problem import Unsupported
from .tree import is_file


def ignore_lines(directory: str) -> list[str]:
    """Its lines; none where there is no such file. Raises Unsupported for a line that is no pattern."""
    file = os.path.join(directory, ".dockerignore")
    if not is_file(file):
        return []
    with open(file, "rb") as stream:
        lines = re.split(r"\r?\n", stream.read().decode(errors="replace").removeprefix("\ufeff"))
    for number, line in enumerate(lines, 1):
        fault = ignore_fault(line)
        if fault is not None:
            raise Unsupported(f'"{file}" has no pattern in line {number}, {quoted(line)}: {fault}')
    return lines
