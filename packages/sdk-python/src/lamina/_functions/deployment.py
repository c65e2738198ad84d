"""What is known of an app once it was deployed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DeployedFunction:
    """One function of a version of an app."""

    name: str
    id: str
    image: str
    """The id of its image."""
    language: str
    methods: Sequence[str] | None


@dataclass(frozen=True)
class Deployment:
    """A version of an app."""

    app_id: str
    name: str
    version: int
    """Counted from 1. The same functions deployed again are the same version."""
    functions: Sequence[DeployedFunction]


def deployment_of(answer: Mapping[str, Any]) -> Deployment:
    """As the platform answered."""
    functions = [DeployedFunction(one["name"], one["id"], one["image"], one["language"], one.get("methods")) for one in answer["functions"]]
    return Deployment(answer["app"], answer["name"], answer["version"], tuple(functions))
