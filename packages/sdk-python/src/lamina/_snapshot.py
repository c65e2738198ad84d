"""An image with its local files read: what is sent to the platform."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ._config import sdk_config
from ._definition import Definition, StepOperation
from ._errors import LaminaError, SourceLocation, invalid_input
from ._image_state import ImageState
from ._local.problem import ChangedWhileRead, Unsupported
from ._local.stop import stoppable
from ._local.tree import LocalTree
from ._local_steps import LocalStep


@dataclass(frozen=True)
class SnapshotTree:
    """A tree, and where the method was called that copies it."""

    tree: LocalTree
    source: SourceLocation | None


@dataclass(frozen=True)
class Snapshot:
    """A definition, and the trees that its steps copy, by digest."""

    definition: Definition
    trees: Mapping[str, SnapshotTree]

    def remember(self) -> None:
        """Keep what was learnt by reading local files; best done while something else is waited for."""
        for one in self.trees.values():
            one.tree.remember()


def snapshot_of(state: ImageState) -> Snapshot:
    """Read the local files of an image. INVALID_INPUT with the place of the method whose files cannot be read."""
    home = sdk_config().home
    trees: dict[str, SnapshotTree] = {}
    steps: list[StepOperation] = []
    for step, source in zip(state.steps, state.sources[1:]):
        if not isinstance(step, LocalStep):
            steps.append(step)
            continue
        try:
            read = step.read(home)
        except (Unsupported, ChangedWhileRead) as error:
            raise invalid_input(f"{step.method}: {error}", source) from error
        if read.tree is not None:
            trees[read.tree.digest] = SnapshotTree(read.tree, source)
        steps.append(read.operation)
    return Snapshot({"builderVersion": state.builder_version, "base": state.base, "steps": steps}, trees)


async def read_snapshot(state: ImageState) -> Snapshot:
    """The same in another thread, which ends when the task is cancelled."""
    with stoppable():
        return await asyncio.to_thread(snapshot_of, state)


def about_change(error: ChangedWhileRead, trees: Iterable[SnapshotTree]) -> LaminaError:
    """INVALID_INPUT, with the place of the method that copies the file that has changed."""
    sources = (one.source for one in trees if any(file.path == error.path for file in one.tree.files.values()))
    return invalid_input(str(error), next(sources, None))
