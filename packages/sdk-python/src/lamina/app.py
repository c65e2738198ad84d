"""Apps: functions with the images that they run in."""

from __future__ import annotations

from ._errors import invalid_input
from ._source import call_site


class App:
    """A named set of functions."""

    def __init__(self, name: str) -> None:
        """Give the app a name."""
        if not isinstance(name, str) or name.strip() == "":
            raise invalid_input("App: give the app a name", call_site())
        self._name = name

    @property
    def name(self) -> str:
        """As it was given."""
        return self._name

    def __repr__(self) -> str:
        """The name."""
        return f"App({self._name!r})"
