"""What a step with local files becomes once they are read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from .._definition import StepOperation
from .._local.tree import LocalTree

NO_TREE = f"sha256:{'0' * 64}"
"""Stands for the digest of a tree that has not been read."""


@dataclass(frozen=True)
class ReadStep:
    """A step whose files were read."""

    operation: StepOperation
    tree: LocalTree | None
    """What it copies, where it copies something."""


class LocalStep(ABC):
    """A step with local files that have not been read yet."""

    @property
    @abstractmethod
    def method(self) -> str:
        """The method of Image that made it."""

    @abstractmethod
    def without_files(self) -> StepOperation:
        """The operation as far as it is known before its files are read."""

    @abstractmethod
    def read(self, home: str) -> ReadStep:
        """Read the files, with the digests that `home` remembers. Raises Unsupported or ChangedWhileRead."""
