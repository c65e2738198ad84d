"""What functions and classes of an app take."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from .._arguments import Call
from .._definition import GPU
from ..image import Image, state_of
from ..secret import Secret

_APP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_FUNCTION_NAME = re.compile(r"[A-Za-z_$][\w$.-]{0,126}", re.ASCII)
_NAME_RULE = "is up to 127 letters, digits, '_', '$', '.' and '-', and does not begin with a digit"
_GPU_RULE = 'must be like "T4", "A100:2", "A100-80GB" or "any"'
_DAY_SECONDS = 86_400
_HOUR_SECONDS = 3_600
_MOST_CONTAINERS = 8
# As `__init__` asks for.
_OLDEST_PYTHON = (3, 10)


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How a call that failed is tried again."""

    max_retries: int
    """How often."""
    backoff_coefficient: float = 2
    """What the delay is multiplied by each time."""
    initial_delay: float = 1
    """Seconds before the first time."""
    max_delay: float = 60
    """The longest delay in seconds."""


class FunctionOptions(TypedDict, total=False):
    """What may be said of a function or a class beside its code."""

    image: Image | None
    """What it runs in; the app's, else Debian with this Python."""
    name: str | None
    """Its own name otherwise."""
    gpu: str | Sequence[str] | None
    """As "T4", "A100:2" or "any", or a list of which the first that there is counts."""
    cpu: float | tuple[float, float] | None
    """Processors that a container may use (1); of a pair, the second, as memory too."""
    memory: int | tuple[int, int] | None
    """MiB that a container may use (1024)."""
    timeout: float | None
    """Seconds after which a call is ended (300)."""
    retries: int | Retries | None
    """How often a call that failed is tried again (0)."""
    secrets: Sequence[Secret] | None
    """Whose variables it sees, with those of the app."""
    min_containers: int | None
    """How many are kept at least (0)."""
    max_containers: int | None
    """How many there are at most (8)."""
    concurrency: int | None
    """Inputs at once in each container (1); `@lamina.concurrent` says the same."""
    scaledown_window: float | None
    """Seconds that a container without work is kept (60)."""


def given_options(options: FunctionOptions, call: Call) -> FunctionOptions:
    """The options, each of which there is."""
    known = FunctionOptions.__annotations__
    for name in options:
        if name not in known:
            raise call.refuse(f"there is no option {name}; there are {', '.join(known)}")
    return options


def app_name(name: object, call: Call) -> str:
    """The name of an app."""
    if not isinstance(name, str) or name.strip() == "":
        raise call.refuse("give the app a name")
    if not _APP_NAME.fullmatch(name):
        raise call.refuse("an app's name is up to 63 letters, digits, '.', '_' and '-', and begins with a letter or digit")
    return name


def function_name(name: object, call: Call) -> str:
    """The name of a function."""
    if not isinstance(name, str) or not _FUNCTION_NAME.fullmatch(name):
        raise call.refuse(f"{name!r} is no name of a function, which {_NAME_RULE}")
    return name


def image_of(image: object, call: Call) -> Image | None:
    """An image, where one is given."""
    if image is None or isinstance(image, Image):
        return image
    raise call.refuse("image: must be an Image")


def refuse_older_python(image: Image, call: Call) -> None:
    """Refuse an image whose Python cannot import this package, which the module of a function does."""
    base = state_of(image).base
    if base["kind"] != "debianSlim":
        return
    version = tuple(map(int, base["pythonVersion"].split(".")))
    if version < _OLDEST_PYTHON:
        oldest = ".".join(map(str, _OLDEST_PYTHON))
        raise call.refuse(f"image: has Python {base['pythonVersion']}, and what imports lamina needs {oldest} or newer")


def limits_of(options: FunctionOptions, call: Call) -> Mapping[str, Any]:
    """What the platform is told of a function beside its code; what was not said is left to it."""
    least = _count(options.get("min_containers"), "min_containers", (0, 1_000), call)
    most = _count(options.get("max_containers"), "max_containers", (1, 1_000), call)
    if least is not None and most is not None and least > most:
        raise call.refuse("min_containers must not be more than max_containers")
    limits = {
        "gpu": _gpus(options.get("gpu"), call),
        "cpu": _amount(_limit(options.get("cpu"), "cpu", call), "cpu", (0.1, 1_024), call),
        "memoryMib": _count(_limit(options.get("memory"), "memory", call), "memory", (32, 64 * 1024 * 1024), call),
        "timeoutSeconds": _amount(options.get("timeout"), "timeout", (0.1, _DAY_SECONDS), call),
        "retries": _retries(options.get("retries"), call),
        "minContainers": least,
        "maxContainers": max(least or 0, _MOST_CONTAINERS) if most is None else most,
        "concurrency": concurrency_of(options.get("concurrency"), "concurrency", call),
        "idleSeconds": _amount(options.get("scaledown_window"), "scaledown_window", (0, _DAY_SECONDS), call),
    }
    return {name: value for name, value in limits.items() if value is not None}


def concurrency_of(value: object, what: str, call: Call) -> int | None:
    """How many inputs a container takes at once."""
    return _count(value, what, (1, 1_000), call)


def _limit(value: object, what: str, call: Call) -> object:
    """Of what is asked for and what is the most, the most."""
    if not isinstance(value, tuple):
        return value
    if len(value) != 2:
        raise call.refuse(f"{what}: must be a number, or a pair of them")
    return value[1]


def _gpus(gpu: object, call: Call) -> list[str] | None:
    if gpu is None:
        return None
    wanted = [gpu] if isinstance(gpu, str) else gpu
    if not isinstance(wanted, (list, tuple)) or not all(isinstance(one, str) and GPU.fullmatch(one) for one in wanted):
        raise call.refuse(f"gpu: {_GPU_RULE}, or a list of such")
    return list(wanted)


def _retries(retries: object, call: Call) -> Mapping[str, Any] | None:
    if retries is None:
        return None
    if not isinstance(retries, Retries):
        return {"max": _count(retries, "retries", (0, 100), call)}
    delay = _amount(retries.initial_delay, "retries.initial_delay", (0, _HOUR_SECONDS), call) or 0
    longest = _amount(retries.max_delay, "retries.max_delay", (0, _HOUR_SECONDS), call) or 0
    return {
        "max": _count(retries.max_retries, "retries.max_retries", (0, 100), call),
        "delayMs": round(delay * 1_000),
        "factor": _amount(retries.backoff_coefficient, "retries.backoff_coefficient", (1, 10), call),
        "longestDelayMs": round(longest * 1_000),
    }


def _amount(value: object, what: str, bounds: tuple[float, float], call: Call) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        raise call.refuse(f"{what}: must be a number")
    return _within(value, what, bounds, call)


def _count(value: object, what: str, bounds: tuple[int, int], call: Call) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise call.refuse(f"{what}: must be a whole number")
    _within(value, what, bounds, call)
    return value


def _within(value: float, what: str, bounds: tuple[float, float], call: Call) -> float:
    low, high = bounds
    if value < low:
        raise call.refuse(f"{what}: must be {low} or more")
    if value > high:
        raise call.refuse(f"{what}: must be {high} or less")
    return value
