"""The canonical form of a JSON value (RFC 8785), and the digest over it.

Keys are sorted by their UTF-16 code units, and numbers are written as ECMAScript writes them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping


def canonical_json(value: object) -> str:
    """Write a value in its canonical form.

    Raises TypeError for what JSON cannot hold, and for a string with half a character.
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(canonical_json, value))}]"
    if isinstance(value, Mapping):
        members = sorted(value.items(), key=lambda member: _utf16(member[0]))
        return f"{{{','.join(f'{_string(key)}:{canonical_json(member)}' for key, member in members)}}}"
    raise TypeError(f"JSON has no {type(value).__name__}")


def canonical_digest(value: object) -> str:
    """SHA-256 over the UTF-8 bytes of the canonical form, as `sha256:<hex>`."""
    return f"sha256:{hashlib.sha256(canonical_json(value).encode()).hexdigest()}"


def _utf16(key: object) -> bytes:
    if not isinstance(key, str):
        raise TypeError(f"a key of JSON is a string, and not {type(key).__name__}")
    return key.encode("utf-16-be", "surrogatepass")


def _string(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise TypeError("a string with a lone surrogate has no UTF-8 form") from error
    return json.dumps(value, ensure_ascii=False)


# Whole numbers up to here are the same in every language.
_EXACT = 2**53


def _number(value: float) -> str:
    if isinstance(value, int) and abs(value) <= _EXACT:
        return str(value)
    number = float(value)
    if not math.isfinite(number):
        raise TypeError(f"JSON has no {number}")
    if number == 0:
        return "0"
    # Both languages write the shortest digits that give the number back; only where the point goes differs.
    mantissa, _, exponent = f"{abs(number)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(digits) - len(fraction) + int(exponent or 0)
    digits = digits.rstrip("0")
    return ("-" if number < 0 else "") + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    """Digits with the point after so many of them, as `Number::toString` has it."""
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    exponent = f"e{point - 1:+d}"
    return digits + exponent if count == 1 else f"{digits[0]}.{digits[1:]}{exponent}"
