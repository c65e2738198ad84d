"""Values on their way between languages, as JSON, by the golden vectors that all of them share."""

from __future__ import annotations

import datetime
import json
import math
from pathlib import Path
from typing import Any

import pytest

from lamina._values.codec import ValueProblem, decode_value, encode_value

_VECTORS = json.loads((Path(__file__).parents[3] / "api/vectors/values.json").read_text())


def _python(means: dict[str, Any]) -> Any:
    """The value that a vector describes."""
    [(kind, content)] = means.items()
    if kind == "null":
        return None
    if kind == "list":
        return [_python(one) for one in content]
    if kind == "object":
        return {key: _python(one) for key, one in content}
    if kind == "date":
        return datetime.datetime.fromtimestamp(content / 1000, datetime.timezone.utc)
    if kind in ("int", "bigint"):
        return int(content)
    return {"float": float, "bytes": bytes}.get(kind, lambda same: same)(content)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or (one == other and math.copysign(1, one) == math.copysign(1, other))
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("vector", _VECTORS, ids=lambda vector: vector["name"])
def test_a_value_means_the_same_in_every_language(vector: dict[str, Any]) -> None:
    value = _python(vector["means"])
    assert _same(decode_value(vector["text"]), value)
    assert _same(decode_value(encode_value(value)), value)
    if not any(kind in vector["text"] for kind in ('"date"', "__proto__")):
        assert json.loads(encode_value(value)) == json.loads(vector["text"])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [1, {2}]}, r"the value.a\[1\] is of the type set"),
        ({1: 2}, "the value has the key 1, which is of the type int; keys are strings"),
        ({"two words": object()}, r'the value\["two words"\] is of the type object'),
        ([datetime.datetime(2026, 1, 1)], r"the value\[0\] is a datetime without a time zone"),
    ],
)
def test_what_has_no_notation_is_named_by_its_place(value: object, words: str) -> None:
    with pytest.raises(ValueProblem, match=words):
        encode_value(value)


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(ValueProblem, match="holds itself"):
        encode_value(value)


@pytest.mark.parametrize("text", ["{", '{"$lamina":"unknown","value":1}', '{"$lamina":"bytes","value":"%"}', '{"$lamina":"bigint"}'])
def test_a_text_that_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(ValueProblem):
        decode_value(text)
