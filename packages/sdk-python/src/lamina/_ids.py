"""Ids that whoever asks chooses, so that asking again when no answer came starts nothing twice."""

from __future__ import annotations

import os
import time
import uuid


def new_id() -> str:
    """A UUID of version 7: the time in milliseconds, then chance."""
    chance = int.from_bytes(os.urandom(10), "big")
    value = (time.time_ns() // 1_000_000) << 80 | chance
    return str(uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))
