"""`dockerfile_commands` with local files, before they are read."""

from __future__ import annotations

from dataclasses import dataclass

from .._definition import DockerfileCommands, RunFields
from .._local.parts import TreePart, read_parts
from .._local.problem import LocalPath
from ._base import NO_TREE, LocalStep, ReadStep


@dataclass(frozen=True)
class LocalInstructions(LocalStep):
    """Instructions before the files of their context are read."""

    commands: tuple[str, ...]
    files: tuple[tuple[str, LocalPath], ...]
    """What is in the context: a path there, and the local path."""
    run: RunFields

    @property
    def method(self) -> str:
        """The method of Image that made it."""
        return "dockerfile_commands"

    def without_files(self) -> DockerfileCommands:
        """The operation, with the digest of no tree."""
        return {"kind": "dockerfileCommands", "commands": list(self.commands), "tree": NO_TREE, **self.run}

    def read(self, home: str) -> ReadStep:
        """The context as a tree."""
        tree = read_parts([TreePart(path, place) for place, path in self.files], home=home)
        operation = self.without_files()
        operation["tree"] = tree.digest
        return ReadStep(operation, tree)
