"""The examples are the images of the same examples in TypeScript."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from conftest import Place
from lamina import Image
from lamina._snapshot import snapshot_of
from lamina.image import state_of
from same_definition import by_typescript

_EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
_OF_TYPESCRIPT = Path(__file__).parents[3] / "sdk" / "examples"


def image_in(file: Path) -> Image:
    """The image that a module makes."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    [image] = [value for value in vars(module).values() if isinstance(value, Image)]
    return image


def test_there_is_one_for_each() -> None:
    assert [file.stem.replace("_", "-") for file in _EXAMPLES] == sorted(file.stem for file in _OF_TYPESCRIPT.glob("*.ts"))


def test_each_is_the_same_on_the_same_base(place: Place) -> None:
    of_typescript = by_typescript([{"example": f"{file.stem.replace('_', '-')}.ts"} for file in _EXAMPLES], place.path("."))
    for file, theirs in zip(_EXAMPLES, of_typescript):
        # Without a version, the Python of the base is the program's own.
        assert snapshot_of(state_of(image_in(file))).definition["steps"] == theirs["definition"]["steps"], file.name


@pytest.mark.parametrize("file", _EXAMPLES, ids=lambda file: file.stem)
def test_each_says_where_its_steps_are(file: Path) -> None:
    sources = state_of(image_in(file)).sources
    assert {source and source.file for source in sources} == {str(file)}
    lines = [source.line for source in sources if source is not None]
    assert lines == sorted(lines)
