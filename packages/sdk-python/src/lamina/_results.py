"""What is known of an image once it was planned or built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Event = Mapping[str, Any]
"""Something that happens: an event of the build, as the platform sends it; `upload` with bytes and total; `build` with its id."""
OnEvent = Callable[[Event], None]


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


@dataclass(frozen=True)
class BuildResult:
    """An image that is there."""

    id: str
    """The image's id, which is that of its last layer."""
    ref: str
    """`host/repository@digest`."""
    digest: str
    layers: Sequence[LayerResult]
    """The base first."""


@dataclass(frozen=True)
class PlannedLayer:
    """A layer, and whether it is there."""

    id: str
    operation: str
    status: Literal["hit", "missing"]
    bytes: int
    """The compressed size of what it adds; 0 where that is not known."""


@dataclass(frozen=True)
class Upload:
    """What would be sent, before compression."""

    files: int
    bytes: int


@dataclass(frozen=True)
class ImagePlan:
    """What a build would find, make and send."""

    image: str
    """The image's id, which is that of its last layer."""
    platform: str
    definition: Mapping[str, Any]
    """With everything filled in that the outside decides; the ids follow from it alone."""
    layers: Sequence[PlannedLayer]
    """The base first."""
    upload: Upload
