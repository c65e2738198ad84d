"""Layer ids: what names a layer, and so what a cache hit means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._canonical import canonical_digest


def layer_ids(definition: Mapping[str, Any]) -> list[str]:
    """The ids of the layers of a resolved definition, the base first; the last one is the id of the image.

    A layer's id is SHA-256 over the canonical JSON of {builderVersion, platform, parent, operation}.
    """
    key = {"builderVersion": definition["builderVersion"], "platform": definition["platform"]}
    ids: list[str] = []
    for operation in (definition["base"], *definition["steps"]):
        parent = ids[-1] if ids else None
        ids.append(canonical_digest({**key, "parent": parent, "operation": operation}).removeprefix("sha256:"))
    return ids
