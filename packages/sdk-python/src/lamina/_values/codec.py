"""Values as JSON text, in which what JSON has no notation for is tagged, as packages/api/src/values.ts says."""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import math
import re
from typing import Any

_TAG = "$lamina"
_LARGEST_SAFE = 2**53 - 1
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0": -0.0}


class ValueProblem(Exception):
    """A value that cannot be written, or a text that cannot be read."""


def encode_value(value: object, root: str = "the value") -> str:
    """The text of a value; `root` is what messages call it. ValueProblem names the place in it that JSON has no notation for."""
    try:
        plain = _written(value, root)
    except RecursionError as error:
        raise ValueProblem(f"{root} holds itself, or is nested too deeply") from error
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        # Halves of surrogate pairs.
        return json.dumps(plain, allow_nan=False, separators=(",", ":"))
    return text


def decode_value(text: str | bytes) -> Any:
    """The value of a text. Raises ValueProblem."""
    try:
        return _read(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise ValueProblem(f"the value is not JSON: {error}") from error


def _written(value: object, path: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        number = int(value)
        return number if -_LARGEST_SAFE <= number <= _LARGEST_SAFE else _tagged("bigint", str(number))
    if isinstance(value, float):
        return _written_float(float(value))
    if isinstance(value, (list, tuple)):
        return [_written(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        return _written_dict(value, path)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _tagged("bytes", base64.b64encode(value).decode())
    if isinstance(value, datetime.datetime):
        if value.utcoffset() is None:
            raise ValueProblem(f"{path} is a datetime without a time zone, which says no moment; give it one")
        return _tagged("date", value.isoformat())
    raise ValueProblem(f"{path} is of the type {type_name(type(value))}, which JSON has no notation for")


def _written_float(value: float) -> Any:
    if math.isnan(value):
        return _tagged("number", "NaN")
    if math.isinf(value):
        return _tagged("number", "Infinity" if value > 0 else "-Infinity")
    return _tagged("number", "-0") if value == 0 and math.copysign(1, value) < 0 else value


def _written_dict(value: dict[Any, Any], path: str) -> Any:
    written: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise ValueProblem(f"{path} has the key {key!r:.100}, which is of the type {type_name(type(key))}; keys are strings")
        written[key] = _written(item, f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key)}]")
    return _tagged("object", written) if _TAG in written else written


def _tagged(tag: str, value: object) -> dict[str, object]:
    return {_TAG: tag, "value": value}


def type_name(kind: type) -> str:
    """The name of a class, with the module where that is not `builtins`."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _TAG not in value:
        return {key: _read(item) for key, item in value.items()}
    if len(value) == 2 and "value" in value:
        try:
            return _untagged(value[_TAG], value["value"])
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise _unknown_tag(value) from error
    raise _unknown_tag(value)


def _untagged(tag: object, content: Any) -> Any:
    if tag == "object":
        return {key: _read(item) for key, item in content.items()} if isinstance(content, dict) else _refuse(content)
    if not isinstance(content, str):
        return _refuse(content)
    if tag == "bytes":
        return base64.b64decode(content, validate=True)
    if tag == "date":
        return datetime.datetime.fromisoformat(_date_for_old_pythons(content))
    if tag == "bigint":
        return int(content) if re.fullmatch(r"-?[0-9]+", content) else _refuse(content)
    return _NUMBERS[content] if tag == "number" else _refuse(tag)


def _refuse(value: object) -> Any:
    raise TypeError(value)


def _date_for_old_pythons(text: str) -> str:
    """As every Python reads it: without Z, and with a fraction of six digits."""
    text = re.sub(r"[Zz]$", "+00:00", text)
    return re.sub(r"\.(\d+)", lambda found: f".{found[1][:6]:0<6}", text)


def _unknown_tag(value: object) -> ValueProblem:
    return ValueProblem(f"the value has in it {json.dumps(value)[:80]}, which this version of Lamina does not know")
