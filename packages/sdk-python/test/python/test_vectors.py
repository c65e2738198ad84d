"""The golden vectors of packages/ir hold in Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lamina._canonical import canonical_digest, canonical_json
from lamina._definition import resolve_definition
from lamina._layer import layer_ids
from lamina._pip_flags import IDLE_FLAGS, PIP_FLAGS, UV_FLAGS, Flags
from lamina._tree import tree_digest

_VECTORS = Path(__file__).parents[3] / "ir" / "vectors"


def _cases(name: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in json.loads((_VECTORS / f"{name}.json").read_text())]


@pytest.mark.parametrize("case", _cases("canonical-json"))
def test_json_has_the_same_canonical_form(case: Any) -> None:
    assert canonical_json(case["value"]) == case["canonical"]
    assert canonical_digest(case["value"]) == case["digest"]


@pytest.mark.parametrize("case", _cases("trees"))
def test_trees_have_the_same_digests(case: Any) -> None:
    assert tree_digest(case["entries"]) == case["digest"]
    assert tree_digest(case["entries"][::-1]) == case["digest"]


@pytest.mark.parametrize("case", _cases("definitions"))
def test_layers_have_the_same_ids(case: Any) -> None:
    resolution = case["resolution"]
    resolved = resolve_definition(case["definition"], resolution["platform"], resolution["baseDigest"], resolution["secrets"])
    assert resolved == case["resolved"]
    assert layer_ids(resolved) == [layer["id"] for layer in case["layers"]]
    assert layer_ids(resolved)[-1] == case["imageId"]


@pytest.mark.parametrize(("name", "flags"), [("uv", UV_FLAGS), ("pip", PIP_FLAGS)])
def test_flags_of_installers_are_the_same(name: str, flags: Flags) -> None:
    vector = json.loads((_VECTORS / "pip-flags.json").read_text())[name]
    assert flags.switches == frozenset(vector["switches"])
    assert flags.options == frozenset(vector["options"])


def test_flags_that_install_nothing_are_the_same() -> None:
    vector = json.loads((_VECTORS / "pip-flags.json").read_text())
    assert frozenset(vector["idle"]) == IDLE_FLAGS


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (2**53 + 1, "9007199254740992"),
        (10**30, "1e+30"),
    ],
)
def test_numbers_are_written_as_ecmascript_writes_them(number: float, written: str) -> None:
    assert canonical_json(number) == written


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {"\udc00": 1}, {1: 2}, object(), {"a": {1, 2}}])
def test_what_json_cannot_hold_is_an_error(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)
