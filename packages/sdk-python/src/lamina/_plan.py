"""Planning: what a build of an image would find, make and send."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ._client import Client
from ._errors import SourceLocation
from ._image_secrets import base_values
from ._image_state import ImageState
from ._results import ImagePlan, PlannedLayer, Upload
from ._snapshot import Snapshot, SnapshotTree, read_snapshot
from ._upload.missing_files import missing_files_of


async def plan_image(client: Client, state: ImageState, *, pull: bool = False) -> ImagePlan:
    """Plan an image without sending or building anything."""
    snapshot = await read_snapshot(state)
    plan, trees = await ask_for_plan(client, state, snapshot, pull=pull)
    await asyncio.to_thread(snapshot.remember)
    missing = await missing_files_of(client, [one.tree for one in trees]) if trees else []
    layers = [PlannedLayer(one["id"], one["operation"], one["status"], one.get("bytes", 0)) for one in plan["layers"]]
    upload = Upload(len(missing), sum(file.stamp.size for _, file in missing))
    return ImagePlan(plan["image"], plan["platform"], plan["definition"], tuple(layers), upload)


async def ask_for_plan(
    client: Client, state: ImageState, snapshot: Snapshot, *, pull: bool = False
) -> tuple[Mapping[str, Any], list[SnapshotTree]]:
    """Ask the platform about an image whose local files were read; and the trees that the platform does not hold whole."""
    plan = await client.mutation("images.plan", {**request_of(state, snapshot), "pull": pull, "secrets": base_values(state)})
    return plan, [snapshot.trees[digest] for digest in plan["missingTrees"] if digest in snapshot.trees]


def request_of(state: ImageState, snapshot: Snapshot) -> dict[str, Any]:
    """What plans and builds are asked for with, but for values of secrets."""
    forced = {} if state.forced_from is None else {"forcedFrom": state.forced_from}
    return {"definition": snapshot.definition, "sources": [_json_of(source) for source in state.sources], **forced}


def _json_of(source: SourceLocation | None) -> Mapping[str, Any] | None:
    return None if source is None else asdict(source)
