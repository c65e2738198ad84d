"""What an image is made of."""

from __future__ import annotations

from dataclasses import dataclass

from ._check import Checked
from ._definition import BaseOperation, StepOperation
from ._errors import SourceLocation
from ._local_steps import LocalStep
from .secret import Secret

Step = LocalStep | StepOperation
"""A step with local files that have not been read yet, or an operation as it is."""


@dataclass(frozen=True)
class ImageState:
    """What an image is made of."""

    builder_version: str
    base: BaseOperation
    steps: tuple[Step, ...]
    sources: tuple[SourceLocation | None, ...]
    """Where each layer's method was called, the base first."""
    secrets: tuple[Secret, ...]
    checked: Checked
    forced_from: int | None = None
    """The first layer to make anew, counted with the base as 0."""

    def is_made_from(self, other: ImageState) -> bool:
        """Whether it begins with all that the other is."""
        return (self.builder_version, self.base, self.steps[: len(other.steps)]) == (other.builder_version, other.base, other.steps)


def without_files(step: Step) -> StepOperation:
    """The operation as far as it is known before its files are read."""
    return step.without_files() if isinstance(step, LocalStep) else step
