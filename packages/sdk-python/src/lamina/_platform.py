"""Which platform to talk to."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from ._config import SdkConfig, sdk_config
from ._errors import LaminaError


@dataclass(frozen=True)
class PlatformAddress:
    """Where a platform is, such as `http://127.0.0.1:7420`, and the token that it asks for."""

    url: str
    token: str

    def __repr__(self) -> str:
        """Never the token."""
        return f"PlatformAddress({self.url!r})"


def find_platform(config: SdkConfig | None = None) -> PlatformAddress:
    """The platform that the environment names, else the embedded one.

    UNREACHABLE when there is neither, UNAUTHORIZED when LAMINA_URL comes without LAMINA_TOKEN.
    """
    config = config or sdk_config()
    if config.url is None:
        return _embedded_platform(config.home)
    if not is_url(config.url):
        raise LaminaError("INVALID_INPUT", f'LAMINA_URL is "{config.url}", which is not a URL such as http://127.0.0.1:7420.')
    if config.token is None:
        raise LaminaError("UNAUTHORIZED", "LAMINA_URL is set and LAMINA_TOKEN is not; set both.")
    return PlatformAddress(config.url, config.token)


def is_url(text: str) -> bool:
    """Whether calls can go there."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _embedded_platform(home: str) -> PlatformAddress:
    """As it says in `platform.json` in its home while it runs; only its user may read that."""
    file = os.path.join(home, "platform.json")
    try:
        with open(file, "rb") as stream:
            text = stream.read()
    except FileNotFoundError as error:
        message = "No platform runs here. Start one with `lamina up`, or point LAMINA_URL and LAMINA_TOKEN at another."
        raise LaminaError("UNREACHABLE", message) from error
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    url, token = (said.get("url"), said.get("token")) if isinstance(said, dict) else (None, None)
    if isinstance(url, str) and is_url(url) and isinstance(token, str) and token:
        return PlatformAddress(url, token)
    raise LaminaError("UNREACHABLE", f"{file} does not say where the platform is. Start it again with `lamina up`.")
