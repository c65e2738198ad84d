"""What a function or a class of an app is, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._errors import SourceLocation
from ..image import Image
from ..secret import Secret


@dataclass(frozen=True)
class FunctionDefinition:
    """A function, or a class by its methods."""

    app: AppState
    name: str
    image: Image
    secrets: Sequence[Secret]
    limits: Mapping[str, Any]
    """What the platform is told of it, in its words."""
    source: SourceLocation | None
    """Where it was made."""
    module: str
    """As its code calls it."""
    qualname: str
    methods: Sequence[str] | None = None


@dataclass
class AppState:
    """An app as it grows while a module is imported, and the app for the moment that calls go to."""

    name: str
    functions: list[FunctionDefinition] = field(default_factory=list)
    entrypoints: dict[str, Callable[..., Any]] = field(default_factory=dict)
    session: str | None = None

    def target(self) -> str:
        """What calls name: the app for the moment while there is one, else the one of that name that is deployed."""
        return self.session or self.name
