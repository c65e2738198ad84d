"""Local files that are read as text."""

from __future__ import annotations

import os

from .digest import FileStamp, chunks_of, stamp_of


def read_text(path: str, stamp: FileStamp | None = None) -> str:
    """The text of a file in the state that `stamp` describes, or in the present one. Raises ChangedWhileRead."""
    return b"".join(chunks_of(path, stamp or stamp_of(os.stat(path)))).decode(errors="replace")
