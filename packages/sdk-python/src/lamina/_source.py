"""Where in the user's file a method of the SDK was called."""

from __future__ import annotations

import os
import sys
from itertools import islice
from types import FrameType

from ._errors import SourceLocation

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def call_site() -> SourceLocation | None:
    """The first frame outside this package, or None when the code has no file (as in a REPL)."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if os.path.isabs(file) and not file.startswith(_PACKAGE):
            return SourceLocation(file, frame.f_lineno, _column(frame))
        frame = frame.f_back
    return None


def _column(frame: FrameType) -> int:
    """From Python 3.11 on code knows its columns."""
    if sys.version_info < (3, 11):
        return 1
    positions = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    return 1 if positions is None or positions[2] is None else positions[2] + 1
