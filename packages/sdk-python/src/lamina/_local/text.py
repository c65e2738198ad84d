"""Local files that are read as text."""

from __future__ import annotations

import os

from .digest import FileStamp, chunks_of, stamp_of
from .problem import Unsupported


def read_text(path: str, stamp: FileStamp | None = None) -> str:
    """The text of a file in the state that `stamp` describes, or in the present one, a link then followed.

    Raises ChangedWhileRead, and Unsupported for what is not UTF-8.
    """
    absolute = path if stamp is not None else os.path.realpath(path, strict=True)
    data = b"".join(chunks_of(absolute, stamp or stamp_of(os.stat(absolute))))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unsupported(f'"{path}" is not UTF-8; save it as UTF-8') from error
