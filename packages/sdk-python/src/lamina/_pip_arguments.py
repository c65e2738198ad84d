"""What is wrong with the arguments of a pip_install, as far as that can be known before packages are looked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from ._definition import PipInstall
from ._pip_flags import PIP_FLAGS, UV_FLAGS, is_idle, value_of_flag
from ._requirement import requirement_fault
from ._text import quoted


def pip_fault(step: PipInstall, variables: Sequence[str], *, complete: bool) -> str | None:
    """The first fault of a pip_install.

    `variables` are those of its secrets as far as they are known, and `complete` says whether that is all of them.
    """
    arguments = _all_arguments(step)
    undeclared = [name for argument in arguments for name in _REFERENCE.findall(argument) if name not in variables]
    if complete and undeclared:
        return f"${{{undeclared[0]}}} is no variable of a secret of this step, and nothing else is expanded"
    misplaced = next((one for previous, one in _with_previous(arguments) if _is_misplaced(one, previous)), None)
    if misplaced is not None:
        return f"a secret can stand in a requirement or the URL of an index, not in {quoted(misplaced)}"
    return _flags_fault(step["arguments"]) or _requirements_fault(step["arguments"]) or _index_fault(arguments)


def _all_arguments(step: PipInstall) -> list[str]:
    """All arguments of the operation, its named options as flags in front."""
    options = [
        *(["--index-url", step["indexUrl"]] if "indexUrl" in step else []),
        *(["--extra-index-url", step["extraIndexUrl"]] if "extraIndexUrl" in step else []),
        *(["--find-links", step["findLinks"]] if "findLinks" in step else []),
    ]
    return [*options, *(["--pre"] if "pre" in step else []), *step["arguments"]]


def _with_previous(arguments: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(["", *arguments], arguments))


_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_INDEX_OPTIONS = frozenset(["-i", "--index-url", "--pypi-url", "--extra-index-url"])
# Options that a requirements file can hold, and that take a value.
_FILE_OPTIONS = _INDEX_OPTIONS | frozenset("-f --find-links -e --editable -c --constraint -r --requirement".split())
# Flags of pip that uv lacks or refuses.
_PIP_ONLY_FLAGS = frozenset(flag for flag in PIP_FLAGS.switches | PIP_FLAGS.options if value_of_flag(flag, UV_FLAGS) is None)
# `-I` alone or among other letters that take no value.
_PIP_ONLY_CLUSTER = re.compile(r"-[UqvI]*I[UqvI]*")
_FLAG_AND_VALUE = re.compile(r"(?:-[A-Za-z]|--[a-z-]+)\s")


def _is_flag(argument: str) -> bool:
    return argument.startswith("-") and argument != "-"


def _is_switch(argument: str) -> bool:
    """Whether it is a flag that takes no value, whichever program installs."""
    return _is_flag(argument) and {value_of_flag(argument, flags) for flags in (UV_FLAGS, PIP_FLAGS)} - {None} == {"none"}


def _may_take_value(argument: str) -> bool:
    return argument.startswith("-") and "=" not in argument and not _is_switch(argument)


def _option_of(argument: str) -> tuple[str, str | None]:
    """The name of an option, and the value that is given with it in one argument."""
    if not argument.startswith("--"):
        return argument[:2], argument[2:]
    name, equals, value = argument.partition("=")
    return name, value if equals else None


def _is_misplaced(argument: str, previous: str) -> bool:
    """Whether it holds a reference where neither pip nor uv expands one: what they read from a requirements file."""
    if _REFERENCE.search(argument) is None:
        return False
    if "\n" in argument:
        return True
    if not argument.startswith("-"):
        return previous not in _FILE_OPTIONS and _may_take_value(previous)
    name, value = _option_of(argument)
    return name not in _FILE_OPTIONS or value is None


def _flags_fault(arguments: Sequence[str]) -> str | None:
    if arguments and all(_is_switch(argument) for argument in arguments):
        return "there is no package to install"
    for previous, argument in _with_previous(arguments):
        if _FLAG_AND_VALUE.match(argument) and not _may_take_value(previous):
            return f"{quoted(argument)} is a flag and its value in one: give two arguments"
    return _wrong_flag_fault(arguments)


def _wrong_flag_fault(arguments: Sequence[str]) -> str | None:
    """The first flag that the program which installs does not have, or that has no value. What follows a `--` is no flag."""
    is_uv = _uv_understands(arguments)
    waiting: str | None = None
    for argument in arguments:
        if waiting is not None:
            waiting = None
        elif argument == "--":
            return None
        elif _is_flag(argument):
            flags = UV_FLAGS if is_uv else PIP_FLAGS
            value = value_of_flag(argument, flags)
            if value is None:
                installer = "pip or of uv" if is_uv else "pip, which installs here since another flag is none of uv's"
                return f"{quoted(argument)} is no flag of {installer}"
            if is_idle(argument, flags):
                return f"with {quoted(argument)} nothing is installed: leave it out"
            if value == "next":
                waiting = argument
    return None if waiting is None else f"{waiting} has no value, which is the argument after it"


def _uv_understands(arguments: Sequence[str]) -> bool:
    """Whether uv takes all of these arguments, and takes them as pip does."""
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        name, equals, value = argument.partition("=") if argument.startswith("--") else (argument, "", "")
        if name == "--keyring-provider":
            if (value if equals else following) in ("auto", "import"):
                return False
        elif name in _PIP_ONLY_FLAGS or _PIP_ONLY_CLUSTER.fullmatch(argument):
            return False
    return True


def _requirements_fault(arguments: Sequence[str]) -> str | None:
    """What holds a reference is known only while building."""
    for previous, argument in _with_previous(arguments):
        if argument.startswith("-") or _may_take_value(previous) or _REFERENCE.search(argument):
            continue
        fault = requirement_fault(argument)
        if fault is not None:
            return f'{quoted(argument)} is not a requirement such as "numpy>=1.26": {fault}'
    return None


def _index_fault(arguments: Sequence[str]) -> str | None:
    for previous, argument in _with_previous(arguments):
        name, value = _option_of(argument)
        location = argument if previous in _INDEX_OPTIONS else value if name in _INDEX_OPTIONS else None
        if location and not _is_index(location):
            return f'{quoted(location)} is not the URL of a package index, such as "https://index.example/simple"'
    return None


# A space is written otherwise in a URL, and a host that is empty is none.
_INDEX_URL = re.compile(r"(?:https?://[^/\\\s\x00-\x1f\x7f-\x9f\ufeff]|file://)[^\s\x00-\x1f\x7f-\x9f\ufeff]*", re.IGNORECASE)


def _is_index(location: str) -> bool:
    """A URL, or a directory of the image that is laid out like one."""
    if re.match(r"\$\{|\.{0,2}/", location):
        return True
    text = _REFERENCE.sub("1", location)
    if _INDEX_URL.fullmatch(text) is None:
        return False
    try:
        parts = urlsplit(text)
        has_host = parts.scheme == "file" or bool(parts.hostname)
        return has_host and re.search(r"[<>^|]", parts.hostname or "") is None and (parts.port is None or parts.port >= 0)
    except ValueError:
        return False
