"""What the names of Python packages say: of projects, wheels and source distributions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


def normal_package_name(name: str) -> str:
    """The name of a project, an extra or a group in its normal form: `My_Package` and `my.package` are `my-package`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def module_name_problem(name: str) -> str | None:
    """Why a directory of that name cannot be imported, or None when it can."""
    first, rest = name[:1], name[1:]
    if (first == "_" or _is_letter(first)) and all(one == "_" or _is_letter(one) or _is_number(one) for one in rest):
        return None
    return f'"{name}" cannot be imported by that name: rename it, or give it a pyproject.toml'


@dataclass(frozen=True)
class WheelName:
    """What the file name of a wheel says."""

    project: str
    """In its normal form."""
    pythons: Sequence[str]
    abis: Sequence[str]
    platforms: Sequence[str]


def wheel_name(file_name: str) -> WheelName | None:
    """What the file name of a wheel says, or None for a name that no wheel has."""
    match = _WHEEL.fullmatch(file_name)
    if match is None:
        return None
    return WheelName(
        project=normal_package_name(match["project"]),
        pythons=match["pythons"].split("."),
        abis=match["abis"].split("."),
        platforms=match["platforms"].split("."),
    )


def source_project(file_name: str) -> str | None:
    """The project of a source distribution, by its file name; None for a name that has no version."""
    match = _SOURCE.fullmatch(file_name)
    return None if match is None else normal_package_name(match[1])


def wheel_problem(wheel: WheelName, debian_python: int | None) -> str | None:
    """Why a wheel cannot be installed, or None when it may be.

    `debian_python` is the minor version of a CPython 3 on Debian; None for a base that may have any Python 3.
    """
    if not any(_fits_python(python, abi, debian_python) for python in wheel.pythons for abi in wheel.abis):
        python = "Python 3" if debian_python is None else f"Python 3.{debian_python}"
        return f"is for the Python of {'.'.join(wheel.pythons)}-{'.'.join(wheel.abis)}, and the image has {python}"
    if any(_fits_platform(platform, debian_python) for platform in wheel.platforms):
        return None
    libc = "" if debian_python is None else " with glibc"
    return f"is for {'.'.join(wheel.platforms)}, and the image is for linux/amd64 or linux/arm64{libc}"


# `project-version(-build)-python-abi-platform.whl`; a part of the project's name is escaped so that it has no `-`.
_WHEEL = re.compile(
    r"(?P<project>[A-Za-z0-9](?:[\w.]*[A-Za-z0-9])?)-[A-Za-z0-9_.!+]+(?:-\d[\w.]*)?"
    r"-(?P<pythons>[A-Za-z0-9_.]+)-(?P<abis>[A-Za-z0-9_.]+)-(?P<platforms>[A-Za-z0-9_.]+)\.whl",
    re.ASCII,
)
_SOURCE = re.compile(r"(.+)-[^-]+\.(?:tar\.gz|zip)")
_PYTHON = re.compile(r"([a-z]+)(\d)(\d*)", re.ASCII)
_PLATFORM = re.compile(r"(linux|manylinux\w*?|musllinux\w*?)_(x86_64|aarch64)", re.ASCII)


def _fits_python(python: str, abi: str, minor: int | None) -> bool:
    match = _PYTHON.fullmatch(python)
    if match is None or match[2] != "3":
        return False
    if minor is None:
        return True
    implementation, wanted = match[1], int(match[3] or 0)
    if implementation == "py":
        return abi == "none" and wanted <= minor
    if implementation != "cp" or match[3] == "":
        return False
    return wanted <= minor if abi == "abi3" else wanted == minor and abi in ("none", f"cp3{minor}")


def _fits_platform(tag: str, debian_python: int | None) -> bool:
    if tag == "any":
        return True
    match = _PLATFORM.fullmatch(tag)
    return match is not None and not (match[1].startswith("musllinux") and debian_python is not None)


def _is_letter(character: str) -> bool:
    return character != "" and unicodedata.category(character).startswith("L")


def _is_number(character: str) -> bool:
    return unicodedata.category(character).startswith("N")
