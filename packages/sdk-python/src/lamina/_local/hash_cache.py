"""Remembers the digests of local files between processes.

One small file for each directory that was copied, replaced as a whole, in the form that the SDK for TypeScript writes
too: by path, a line of the stamp, the last day on which it was used, and the digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import uuid
import warnings
from collections.abc import Mapping

from .digest import FileStamp, digest_of

_DAY = 24 * 60 * 60
# Entries that were not used for so long are dropped.
_DAYS_KEPT = 30
# A file can change again within one tick of its file system's clock, and its stamp stays the same. A digest is worth
# remembering only when the stamp is older than the reading by more than any such tick.
_LONGEST_TICK_NS = 2_000_000_000
_ENTRY = re.compile(r"(\d+ ){5}sha256:[0-9a-f]{64}", re.ASCII)


class HashCache:
    """The digests of what lies under one path."""

    def __init__(self, home: str, root: str) -> None:
        """Open the cache. One that cannot be read is begun anew."""
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
        self._file = os.path.join(home, "hashes", f"{name}.json")
        self._version, self._known = _load(self._file)
        self._learnt: dict[str, str] = {}
        self._today = int(time.time() // _DAY)

    def remembered(self, path: str, stamp: FileStamp) -> str | None:
        """The digest of the file at an absolute path, when it is remembered for that stamp."""
        entry = self._known.get(path)
        if entry is None or not entry.startswith(_text_of(stamp)):
            return None
        digest = entry.rpartition(" ")[2]
        if _day_of(entry) != self._today:
            self._learnt[path] = self._entry(stamp, digest)
        return digest

    def digest(self, path: str, stamp: FileStamp) -> str:
        """The same, read when it is not remembered."""
        known = self.remembered(path, stamp)
        if known is not None:
            return known
        began = time.time_ns()
        digest = digest_of(path, stamp)
        if began - max(stamp.mtime_ns, stamp.ctime_ns) > _LONGEST_TICK_NS and _is_text(path):
            self._learnt[path] = self._entry(stamp, digest)
        return digest

    def save(self) -> None:
        """Keep what was learnt. Another process may have written in the meantime: add to what is there now."""
        if not self._learnt:
            return
        entries = self._known if _version_of(self._file) == self._version else _load(self._file)[1]
        kept = {path: entry for path, entry in entries.items() if self._today - _day_of(entry) < _DAYS_KEPT}
        try:
            _replace(self._file, json.dumps({**kept, **self._learnt}, ensure_ascii=False, separators=(",", ":")))
        except OSError as error:
            warnings.warn(f"Digests of local files are not remembered: {error}", stacklevel=2)

    def _entry(self, stamp: FileStamp, digest: str) -> str:
        return f"{_text_of(stamp)}{self._today} {digest}"


def _text_of(stamp: FileStamp) -> str:
    return f"{stamp.size} {stamp.mtime_ns} {stamp.ctime_ns} {stamp.ino} "


def _day_of(entry: str) -> int:
    return int(entry.split(" ")[4])


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _load(file: str) -> tuple[object, Mapping[str, str]]:
    """What the file holds, and another version for each state of it; damaged or not readable is worth no more than empty."""
    version = _version_of(file)
    try:
        with open(file, encoding="utf-8") as stream:
            entries = json.load(stream)
    except (OSError, ValueError):
        return version, {}
    is_whole = isinstance(entries, dict) and all(isinstance(entry, str) and _ENTRY.fullmatch(entry) for entry in entries.values())
    return version, entries if is_whole else {}


def _version_of(file: str) -> object:
    try:
        stats = os.stat(file)
    except OSError:
        return None
    return (stats.st_ino, stats.st_ctime_ns)


def _replace(file: str, text: str) -> None:
    os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
    temporary = f"{file}.{uuid.uuid4()}"
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(temporary, file)
