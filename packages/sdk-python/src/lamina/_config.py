"""What the SDK reads from the environment; nothing else here does, but for `Secret.from_env`, which is asked to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SdkConfig:
    """The settings of the SDK."""

    home: str
    """The directory that holds all local state."""
    url: str | None
    """The platform to talk to, where one is named."""
    token: str | None


def sdk_config(env: Mapping[str, str] | None = None) -> SdkConfig:
    """Read `LAMINA_HOME` (default `${XDG_DATA_HOME:-~/.local/share}/lamina`), `LAMINA_URL` and `LAMINA_TOKEN`.

    An empty variable counts as unset.
    """
    variables = os.environ if env is None else env
    data_home = variables.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return SdkConfig(
        home=os.path.abspath(variables.get("LAMINA_HOME") or os.path.join(data_home, "lamina")),
        url=variables.get("LAMINA_URL") or None,
        token=variables.get("LAMINA_TOKEN") or None,
    )
