"""Images described by data, and what each of the two SDKs makes of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lamina import Image, LaminaError, Secret
from lamina._check import METHODS
from lamina._definition import resolve_definition
from lamina._layer import layer_ids
from lamina._snapshot import snapshot_of
from lamina.image import state_of

Recipe = Mapping[str, Any]
"""`base` and `steps`: each a method's name, its arguments and its options."""
RESOLUTION: dict[str, Any] = {
    "platform": "linux/amd64",
    "baseDigest": f"sha256:{'ab' * 32}",
    "secrets": {"kept": ["KEPT_B", "KEPT_A"], "other": ["OTHER"]},
}
SECRETS = [{"values": {"TOKEN": "hunter2!", "A": "1"}}, {"name": "kept"}, {"name": "other"}]
_SCRIPT = Path(__file__).parents[3] / "sdk" / "test" / "support" / "definitions.ts"


def assert_same(recipes: Sequence[Recipe], directory: str) -> None:
    """Assert that both SDKs make the same of each, or refuse it for the same in the same words."""
    for recipe, theirs in zip(recipes, by_typescript(recipes, directory)):
        ours = by_python(recipe)
        if "code" in theirs and "code" in ours:
            assert ours == {"code": theirs["code"], "message": _in_python(theirs["message"])}, recipe
        else:
            assert ours == theirs, recipe


def _in_python(message: str) -> str:
    """A message of the SDK for TypeScript as it is here."""
    for kind, method in {**METHODS, "fromRegistry": "from_registry", "debianSlim": "debian_slim", "contextFiles": "context_files"}.items():
        message = re.sub(rf"\b{kind}\b", method, message)
    message = re.sub(r"between backticks that is \\\$\{(\w+)\}", r"in an f-string that is ${{\1}}", message)
    return message.replace("{ ignoreLockfile: true }", "ignore_lockfile=True").replace("(...list)", "(*list)")


def by_typescript(recipes: Sequence[Recipe], directory: str) -> list[Any]:
    """What the SDK for TypeScript makes of each."""
    node = os.environ.get("LAMINA_TEST_NODE", "node")
    given = json.dumps({"recipes": recipes, "resolution": RESOLUTION})
    done = subprocess.run([node, str(_SCRIPT)], input=given, capture_output=True, text=True, cwd=directory, check=False)
    assert done.returncode == 0, done.stderr
    made: list[Any] = json.loads(done.stdout)
    return made


def by_python(recipe: Recipe) -> Any:
    """What this SDK makes of one."""
    try:
        snapshot = snapshot_of(state_of(image_of(recipe)))
    except LaminaError as error:
        return {"code": error.code, "message": error.message}
    resolved = resolve_definition(snapshot.definition, RESOLUTION["platform"], RESOLUTION["baseDigest"], RESOLUTION["secrets"])
    trees = [{"digest": digest, "entries": list(one.tree.entries)} for digest, one in snapshot.trees.items()]
    return {"definition": snapshot.definition, "ids": layer_ids(resolved), "trees": trees}


def image_of(recipe: Recipe) -> Image:
    """The image itself."""
    image: Image | type[Image] = Image
    for method, arguments, options in [recipe["base"], *recipe["steps"]]:
        call: Callable[..., Image] = getattr(image, method)
        image = call(*arguments, **{name: _option(name, value) for name, value in options.items()})
    assert isinstance(image, Image)
    return image


def _option(name: str, value: Any) -> Any:
    if name == "secrets":
        return [_secret(one) for one in value]
    if name == "secret":
        return _secret(value)
    if name == "condition":
        return lambda path: not path.endswith(value)
    return value


def _secret(recipe: Mapping[str, Any]) -> Secret:
    return Secret.from_name(recipe["name"]) if "name" in recipe else Secret.from_dict(recipe["values"])
