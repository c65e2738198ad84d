"""What became of each layer of a build, as a value that each event turns into the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ._results import LayerResult


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
