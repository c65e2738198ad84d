"""Steps whose local files are read when the image is planned: what is known of them before, and the reading."""

from __future__ import annotations

from ._base import NO_TREE, LocalStep, ReadStep
from .copy import LocalCopy
from .function import LocalFunction
from .instructions import LocalInstructions
from .packages import LocalPackages
from .poetry import LocalPoetry

__all__ = ["NO_TREE", "LocalCopy", "LocalFunction", "LocalInstructions", "LocalPackages", "LocalPoetry", "LocalStep", "ReadStep"]
