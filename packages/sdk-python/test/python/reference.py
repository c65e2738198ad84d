"""The examples of the API's reference, word for word but for their import and what `_CHANGES` has."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

_TEXT = (Path(__file__).parents[1] / "reference" / "image-api.txt").read_text()
_CODE = re.compile(r"^### ([^\n]+)\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What lies outside is elsewhere in the tests: at addresses, and behind tokens, that variables of the environment have.
_CHANGES: Mapping[str, list[tuple[str, str]]] = {
    "Custom Base Image": [("nvidia/cuda", "{EXAMPLE_REGISTRY}/nvidia/cuda")],
    "Poetry-based Project": [("https://install.python-poetry.org", "{EXAMPLE_POETRY_INSTALLER}")],
    "Multi-stage Build": [("https://github.com/example/custom-lib.git", "{EXAMPLE_CUSTOM_LIB}")],
    "Secrets in Build Process": [
        ("ghp_...", "{EXAMPLE_GIT_TOKEN}"),
        ('"PRIVATE_REGISTRY_TOKEN": "..."', '"PRIVATE_REGISTRY_TOKEN": "{EXAMPLE_INDEX_TOKEN}"'),
        ("https://${GITHUB_TOKEN}@github.com", "http://${GITHUB_TOKEN}@{EXAMPLE_GIT_SERVER}"),
        ("https://token:${PRIVATE_REGISTRY_TOKEN}@pypi.private.com", "http://token:${PRIVATE_REGISTRY_TOKEN}@{EXAMPLE_INDEX}"),
    ],
}


def example(heading: str) -> str:
    """The code of an example, which imports lamina, with what lies outside where the environment says."""
    code: str = dict(_CODE.findall(_TEXT))[heading].replace("import modal\n", "import lamina as modal\n")
    if "import lamina" not in code:
        code = f"import lamina as modal\n\n{code}"
    for before, after in _CHANGES.get(heading, []):
        assert code.count(before) == 1, f"{heading}: {before}"
        code = code.replace(before, re.sub(r"(?<!\$)\{(\w+)\}", lambda name: os.environ[name[1]], after))
    return code


def headings() -> list[str]:
    """All examples, in their order."""
    return [heading for heading, _ in _CODE.findall(_TEXT)]
