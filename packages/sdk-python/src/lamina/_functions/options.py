"""What functions and classes of an app take."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._arguments import Call
from .._definition import GPU
from ..image import Image
from ..secret import Secret

_APP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_FUNCTION_NAME = re.compile(r"[A-Za-z_$][\w$.-]{0,126}", re.ASCII)
_NAME_RULE = "is up to 127 letters, digits, '_', '$', '.' and '-', and does not begin with a digit"
_GPU_RULE = 'must be like "T4", "A100:2", "A100-80GB" or "any"'
_DAY_SECONDS = 86_400
_HOUR_SECONDS = 3_600
_MOST_CONTAINERS = 8


@dataclass(frozen=True)
class Retries:
    """How a call that failed is tried again."""

    max: int
    """How often."""
    delay: float = 1
    """Seconds before the first time."""
    factor: float = 2
    """What the delay is multiplied by each time."""
    longest_delay: float = 60
    """The longest delay in seconds."""


@dataclass(frozen=True)
class FunctionOptions:
    """What was said of a function beside its code."""

    image: Image | None = None
    name: str | None = None
    gpu: str | Sequence[str] | None = None
    cpu: float | None = None
    memory: int | None = None
    timeout: float | None = None
    retries: int | Retries | None = None
    secrets: Sequence[Secret] | None = None
    min_containers: int | None = None
    max_containers: int | None = None
    concurrency: int | None = None
    idle_timeout: float | None = None


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


def image_of(options: FunctionOptions, call: Call) -> Image:
    """The image that a function runs in: Debian with this Python where none is said."""
    if options.image is None:
        return Image.debian_slim()
    if not isinstance(options.image, Image):
        raise call.refuse("image: must be an Image")
    return options.image


def limits_of(options: FunctionOptions, call: Call) -> Mapping[str, Any]:
    """What the platform is told of a function beside its code; what was not said is left to it."""
    least = _count(options.min_containers, "min_containers", (0, 1_000), call)
    most = _count(options.max_containers, "max_containers", (1, 1_000), call)
    if least is not None and most is not None and least > most:
        raise call.refuse("min_containers must not be more than max_containers")
    limits = {
        "gpu": _gpus(options.gpu, call),
        "cpu": _amount(options.cpu, "cpu", (0.1, 1_024), call),
        "memoryMib": _count(options.memory, "memory", (32, 64 * 1024 * 1024), call),
        "timeoutSeconds": _amount(options.timeout, "timeout", (0.1, _DAY_SECONDS), call),
        "retries": _retries(options.retries, call),
        "minContainers": least,
        "maxContainers": max(least or 0, _MOST_CONTAINERS) if most is None else most,
        "concurrency": _count(options.concurrency, "concurrency", (1, 1_000), call),
        "idleSeconds": _amount(options.idle_timeout, "idle_timeout", (0, _DAY_SECONDS), call),
    }
    return {name: value for name, value in limits.items() if value is not None}


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
    delay = _amount(retries.delay, "retries.delay", (0, _HOUR_SECONDS), call) or 0
    longest = _amount(retries.longest_delay, "retries.longest_delay", (0, _HOUR_SECONDS), call) or 0
    return {
        "max": _count(retries.max, "retries.max", (0, 100), call),
        "delayMs": round(delay * 1_000),
        "factor": _amount(retries.factor, "retries.factor", (1, 10), call),
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
