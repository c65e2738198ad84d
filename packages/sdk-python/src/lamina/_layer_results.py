"""What became of each layer of a build, as a value that each event turns into the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal


@dataclass(frozen=True)
class LayerResult:
    """What became of a layer."""

    id: str
    operation: str
    """The kind of its operation; of the base, of what began the image."""
    status: Literal["hit", "missing", "built", "failed"]
    """`missing` while it is being made, or was not reached."""
    seconds: float
    """How long making it took; 0 for a hit."""
    bytes: int
    """The compressed size of what it adds; 0 while that is not known: a layer may be published a moment after the build is done."""


def layers_after(layers: Sequence[LayerResult], event: Mapping[str, Any]) -> Sequence[LayerResult]:
    """The layers after an event; the first that says anything is `planned`."""
    kind = event["type"]
    if kind == "planned":
        return [LayerResult(one["id"], one["operation"], one["status"], 0, one.get("bytes", 0)) for one in event["layers"]]
    if kind == "layer-built":
        return [replace(one, seconds=event["seconds"]) if one.id == event["layer"] else one for one in layers]
    if kind == "layer-published":
        return [replace(one, status="built", bytes=event["bytes"]) if one.id == event["layer"] else one for one in layers]
    if kind in ("attempt-failed", "failed"):
        return [replace(one, status="failed") if one.id == event["error"].get("layer") else one for one in layers]
    if kind == "done":
        # What another build published while this one was planned is known only when it is done.
        return [replace(one, status="built") if one.status == "missing" else one for one in layers]
    return layers
